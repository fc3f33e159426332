import { BullrushError } from "@bullrush/broker";
import type { Timetable } from "./timetable.js";

/** As a function of the app's options says. Throws what it throws, and `INVALID_OPTION` for what is not a later time. */
export function own(name: string, schedule: (after: Date) => Date | undefined): Timetable {
  function next(after: number): number | undefined {
    const given: unknown = schedule(new Date(after));
    if (given === undefined) return undefined;
    const due = given instanceof Date ? given.getTime() : NaN;
    if (due > after) return due;
    throw new BullrushError("INVALID_OPTION", {
      option: `what the schedule of "${name}" gives`,
      got: Number.isNaN(due) ? "no time" : `${new Date(due).toISOString()}, which is not after ${new Date(after).toISOString()}`,
      expected: "a later Date, or undefined",
    });
  }

  return { next };
}
