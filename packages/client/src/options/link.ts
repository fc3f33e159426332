/** @internal How a canvas is told from other values, whichever copy of this package made it. */
export const mark = Symbol.for("bullrush.canvas");

/** A canvas, as far as options of a call know it. */
export interface Link {
  /** @internal */
  readonly [mark]: object;
}
