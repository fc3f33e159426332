/** The due times of an entry, in ms since the epoch. */
export interface Timetable {
  /**
   * The first due time after `after`; `undefined` if there is none. Deterministic: the same `after`
   * always returns the same time.
   */
  next(after: number): number | undefined;
}
