/** When something is due. Times are ms since the epoch. */
export interface Timetable {
  /** The first time after `after`; `undefined`: there is none any more. The same for the same `after`, whenever it is asked. */
  next(after: number): number | undefined;
}
