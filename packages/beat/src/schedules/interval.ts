import type { Timetable } from "./timetable.js";

/**
 * Every `every` ms, counted from `anchor`, so that no tick that is late makes the next one late: at `anchor` itself, or for the first time
 * one interval later.
 */
export function interval(every: number, anchor: number, atAnchor: boolean): Timetable {
  const first = atAnchor ? 0 : 1;
  return { next: (after) => anchor + Math.max(first, Math.floor((after - anchor) / every) + 1) * every };
}
