import type { Timetable } from "./timetable.js";

/**
 * A schedule every `every` ms, counted from `anchor`, so that a late tick does not delay the next.
 * With `fromAnchor`, the first tick is at `anchor` itself. Otherwise the anchor is a past time, and
 * earlier times occur only if the clock has gone back.
 */
export function interval(every: number, anchor: number, fromAnchor: boolean): Timetable {
  const first = fromAnchor ? 0 : -Infinity;
  return { next: (after) => anchor + Math.max(first, Math.floor((after - anchor) / every) + 1) * every };
}
