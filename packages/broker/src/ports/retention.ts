/** A bound, compiled; `Number.MAX_SAFE_INTEGER` is none. */
export interface Bound {
  readonly count: number;
  /** In ms. */
  readonly age: number;
  readonly bytes: number;
}

/** What a queue keeps, compiled. */
export interface Retention {
  readonly completed: Bound;
  readonly failed: Bound;
  readonly deadLetter: Bound;
  readonly keepArguments: boolean;
}
