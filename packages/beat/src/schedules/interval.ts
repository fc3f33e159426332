import type { Timetable } from "./timetable.js";

/**
 * Every `every` ms, counted from `anchor`, so that no tick that is late makes the next one late. `fromAnchor`: the first is at `anchor`
 * itself. Otherwise the anchor is a time that has been, and what is before it comes only if the clock has gone back.
 */
export function interval(every: number, anchor: number, fromAnchor: boolean): Timetable {
  const first = fromAnchor ? 0 : -Infinity;
  return { next: (after) => anchor + Math.max(first, Math.floor((after - anchor) / every) + 1) * every };
}
