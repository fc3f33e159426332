import { BullrushError } from "@bullrush/broker";
import type { Timetable } from "./timetable.js";

/**
 * A schedule from a function of the app's options. Throws what the function throws, and
 * `INVALID_OPTION` if it returns a time that is not later.
 */
export function custom(name: string, schedule: (after: Date) => Date | undefined): Timetable {
  function next(after: number): number | undefined {
    const returned: unknown = schedule(new Date(after));
    if (returned === undefined) return undefined;
    const due = returned instanceof Date ? returned.getTime() : NaN;
    if (due > after) return due;
    throw new BullrushError("INVALID_OPTION", {
      option: `what the schedule of "${name}" gives`,
      got: Number.isNaN(due) ? "no time" : `${new Date(due).toISOString()}, which is not after ${new Date(after).toISOString()}`,
      expected: "a later Date, or undefined",
    });
  }

  return { next };
}
