import { isDeepStrictEqual } from "node:util";
import { decodeJson } from "../protocol/json.js";
import type { ScheduledCall } from "../protocol/schedule.js";
import type { Calendar, CalendarEntry } from "./calendar.js";

/** An entry of the options that is to be stored. */
export interface OptionEntry {
  readonly name: string;
  /** The recurring call, as JSON. */
  readonly text: string;
  /** Its version, if it is stored. */
  readonly version: string;
}

/**
 * Stores an entry of the options: anew if it is due at other times, else only what has changed. One
 * whose schedule is a function is to be computed, unless it is due. What was set at run time stays
 * as it is.
 */
export function syncEntry(calendar: Calendar, { name, text, version }: OptionEntry, now: number): void {
  const stored = calendar.entries.get(name);
  if (stored?.origin === "runtime") return;
  const hasChanged = stored?.text !== text;
  const timing = timingOf(text, now);
  if (stored === undefined || (hasChanged && !isDeepStrictEqual(startOf(timingOf(stored.text, now)), startOf(timing)))) {
    return calendar.store(name, { text, origin: "options", version }, now);
  }
  if (hasChanged) {
    stored.text = text;
    stored.version = version;
    delete stored.advanced;
  }
  if (timing.schedule.type === "function") computeAfter(stored, now);
  else if (hasChanged) computeAfter(stored, timing.end);
}

interface Timing {
  readonly schedule: ScheduledCall["schedule"];
  /** When it starts, in ms since the epoch; the present for a start in the past. */
  readonly start: number;
  readonly end: number;
}

function timingOf(text: string, now: number): Timing {
  const { schedule, startAt = 0, endAt = Infinity } = decodeJson(text, "an entry of beat") as ScheduledCall;
  return { schedule, start: Math.max(startAt, now), end: endAt };
}

/** What decides when an entry is due, its end aside. */
function startOf({ schedule, start }: Timing): Pick<Timing, "schedule" | "start"> {
  return { schedule, start };
}

/** Marks an entry as to be computed, if it is due after `time` or has no next run. */
function computeAfter(entry: CalendarEntry, time: number): void {
  if ((entry.due === Infinity || entry.due > time) && !entry.isPaused) entry.due = 0;
}
