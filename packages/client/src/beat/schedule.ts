import type { Duration, Schedule, ScheduledCall } from "@bullrush/broker";
import { isRecord, kindOf, refuse } from "../options/check.js";
import { crontab } from "./crontab.js";
import { compileInterval } from "./every.js";
import { solar } from "./solar.js";

/**
 * A custom schedule: returns the first due time after `after`, or `undefined` if there is none.
 * Whichever beat leads calls it, so the result must depend on `after` alone.
 */
export type ScheduleFunction = (after: Date) => Date | undefined;

/** A schedule as an option: `"20s"` is `every("20s")`. */
export type ScheduleOption = Duration | Schedule | ScheduleFunction;

/**
 * Compiles a schedule to plain data. A crontab without a time zone gets `timezone`, so that every
 * app reads it alike. Throws `INVALID_OPTION`, naming `option`.
 */
export function compileSchedule(given: ScheduleOption, option: string, timezone: string): ScheduledCall["schedule"] {
  if (typeof given === "function") return { type: "function" };
  if (typeof given === "string" && /^\S+(?:\s+\S+){4,5}$/.test(given))
    refuse(option, "a cron expression", `crontab(${JSON.stringify(given.slice(0, 80))})`);
  if (typeof given === "string" || typeof given === "number") return compileInterval(given, option);
  if (given === undefined) refuse(option, "missing", expected);
  isRecord(given, option);
  // Data may have come from anywhere.
  switch (given.type) {
    case "every":
      return compileInterval(`${given.every}ms`, option);
    case "crontab":
      if (typeof given.expression !== "string") refuse(option, `a crontab whose expression is ${kindOf(given.expression)}`, expected);
      return crontab(given.expression, { timezone: given.timezone ?? timezone });
    case "solar":
      return solar(given.event, given.latitude, given.longitude);
    default:
      return refuse(option, "an object that is no schedule", expected);
  }
}

const expected = 'an interval such as "20s", every(), crontab(), solar(), or a function';

/** A schedule in a few words. */
export function describeSchedule(schedule: ScheduledCall["schedule"]): string {
  switch (schedule.type) {
    case "every":
      return `every ${lengthOf(schedule.every)}`;
    case "crontab":
      return `crontab ${schedule.expression}${schedule.timezone === undefined ? "" : ` in ${schedule.timezone}`}`;
    case "solar":
      return `${schedule.event} at ${schedule.latitude}, ${schedule.longitude}`;
    case "function":
      return "a function";
  }
}

const units = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1000],
] as const;

/** Formats ms as a duration, exactly. */
function lengthOf(milliseconds: number): string {
  const [unit, size] = units.find(([, length]) => milliseconds % length === 0) ?? ["ms", 1];
  return `${milliseconds / size}${unit}`;
}
