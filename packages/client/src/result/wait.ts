import type { AwaitedResult } from "./awaited-result.js";
import type { Listener } from "./listener.js";

/** A wait under way. */
export interface Wait {
  readonly awaited: AwaitedResult;
  readonly listener: Listener;
  /** When to look next, and how long after that; `Infinity` if it is not polled. */
  at: number;
  interval: number;
  looks: number;
  /** Whether a notification came since the last look began, whose result is then out of date. */
  notified: boolean;
  /** Whether the backend could not be read the last time. */
  cut: boolean;
}

/**
 * Intervals between two looks at a result, in ms, each twice the one before: `polled` for results
 * without notifications, `notified` for the others, in case a notification is lost.
 */
export const intervals = { polled: { first: 50, max: 4000 }, notified: { first: 1900, max: 8000 } };

/** When to look for the message of a task too: at the first looks, then at every so many. */
const locating = { first: 4, every: 8 };

/** The intervals for looks at the result of a task. */
export function intervalsOf({ own }: AwaitedResult): { readonly first: number; readonly max: number } {
  return own ? intervals.notified : intervals.polled;
}

/** Whether to look for the message too; a message that this process just sent is there. */
export function isToLocate({ awaited, looks }: Wait): boolean {
  return (!awaited.own || looks > 1) && (looks <= locating.first || looks % locating.every === 0);
}
