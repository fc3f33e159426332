/** @internal Marks canvases, whichever copy of this package created them. */
export const mark = Symbol.for("bullrush.canvas");

/** A canvas, as far as the options of a call know it. */
export interface Link {
  /** @internal */
  readonly [mark]: object;
}
