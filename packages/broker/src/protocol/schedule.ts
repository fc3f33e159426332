import { maxDuration } from "../time/duration.js";

/** When a recurring call is due, as plain data. Beat computes the times. */
export type Schedule =
  /** Every so many ms, counted from the beginning of its entry, not from its last tick. */
  | { readonly type: "every"; readonly every: number }
  /** As cron says, five fields or six with seconds first. If a field of days begins with `*`, both days must match, else either. In a time zone (IANA), default the app's. */
  | { readonly type: "crontab"; readonly expression: string; readonly timezone?: string }
  /** At an event of the sun at a place: degrees north and east. */
  | { readonly type: "solar"; readonly event: SolarEvent; readonly latitude: number; readonly longitude: number };

/** Celery's names. */
export const solarEvents = [
  "dawn_astronomical",
  "dawn_nautical",
  "dawn_civil",
  "sunrise",
  "solar_noon",
  "sunset",
  "dusk_civil",
  "dusk_nautical",
  "dusk_astronomical",
] as const;

export type SolarEvent = (typeof solarEvents)[number];

/** Shortest interval of `every`, in ms. */
export const minInterval = 100;

/** The end of the year 9999, ms since the epoch: still a time to the millisecond in BullMQ's scores, which are 4096 times the time. */
export const lastTime = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** The last time that a `Date` can be made of, ms since the epoch. */
const maxTime = 8.64e15;

/** Longest cron expression, in characters. */
const maxExpression = 1000;

/** What becomes of ticks that were missed: none is sent, the latest, or all. */
export type CatchUp = "skip" | "latest" | "all";

/** A recurring call as plain data; what is absent is at its default. Times are ms since the epoch, lengths of time ms. */
export interface ScheduledCall {
  readonly task: string;
  /** `function` for a schedule that is a function of the app's options: only beats that have these can compute it. */
  readonly schedule: Schedule | { readonly type: "function" };
  /** Default: none. */
  readonly args?: readonly unknown[];
  /** Options of the call, as JSON carries them: a time as ISO string. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** Default: `latest`. */
  readonly catchUp?: CatchUp;
  /** A tick that is later than this is not sent. Default: no limit. */
  readonly deadline?: number;
  /** `skip`: no tick while the message of the last one, in its first queue, has not ended. Default: `allow`. */
  readonly overlap?: "allow" | "skip";
  /** Each tick is delayed by a random time up to this. Default: 0. */
  readonly jitter?: number;
  readonly startAt?: number;
  readonly endAt?: number;
  /** Most ticks in all. */
  readonly limit?: number;
}

/** Why decoded `value` is no recurring call as one can be given; `undefined` if it is one. What a cron expression means is for the library to say. */
export function flawOfCall(value: unknown): string | undefined {
  if (!isRecord(value)) return "it is no recurring call";
  const flaw = fieldsOfCall.find(([field, accepts]) => !accepts(value[field]));
  if (flaw !== undefined) return `its "${flaw[0]}" is not ${flaw[2]}`;
  const { startAt, endAt } = value as { readonly startAt?: number; readonly endAt?: number };
  return startAt !== undefined && endAt !== undefined && endAt < startAt ? 'its "endAt" is before its "startAt"' : undefined;
}

/** Whether `value` is a time that a `Date` can be made of, ms since the epoch. */
export function isEntryTime(value: unknown): value is number {
  return typeof value === "number" && Math.abs(value) <= maxTime;
}

type Accepts = (value: unknown) => boolean;

const optional =
  (accepts: Accepts): Accepts =>
  (value) =>
    value === undefined || accepts(value);

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isText = (value: unknown) => typeof value === "string" && value !== "";
const isLength = (value: unknown) => typeof value === "number" && value >= 0 && value <= maxDuration;
const isDegrees = (value: unknown, max: number) => typeof value === "number" && Math.abs(value) <= max;

const fieldsOfCall: readonly (readonly [field: string, accepts: Accepts, expected: string])[] = [
  ["task", isText, "the name of a task"],
  ["schedule", isSchedule, `a schedule that this release knows, of ${minInterval} ms at least`],
  ["args", optional(Array.isArray), "a list of arguments"],
  ["options", optional(isRecord), "options of a call"],
  ["catchUp", optional((value) => value === "skip" || value === "latest" || value === "all"), "skip, latest or all"],
  ["deadline", optional(isLength), "a length of time"],
  ["overlap", optional((value) => value === "allow" || value === "skip"), "allow or skip"],
  ["jitter", optional(isLength), "a length of time"],
  ["startAt", optional(isEntryTime), "a time"],
  ["endAt", optional(isEntryTime), "a time"],
  ["limit", optional((value) => Number.isSafeInteger(value) && (value as number) >= 1), "a whole number from 1"],
];

function isSchedule(value: unknown): boolean {
  if (!isRecord(value)) return false;
  switch (value["type"]) {
    case "every":
      return isLength(value["every"]) && Number.isInteger(value["every"]) && (value["every"] as number) >= minInterval;
    case "crontab":
      return isText(value["expression"]) && (value["expression"] as string).length <= maxExpression && optional(isText)(value["timezone"]);
    case "solar":
      return (
        solarEvents.some((event) => event === value["event"]) && isDegrees(value["latitude"], 90) && isDegrees(value["longitude"], 180)
      );
    default:
      return value["type"] === "function";
  }
}
