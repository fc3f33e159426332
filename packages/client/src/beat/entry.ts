import {
  encodeJson,
  toMilliseconds,
  type CatchUp,
  type Duration,
  type NamedCall,
  type Schedule,
  type ScheduledCall,
} from "@bullrush/broker";
import type { AsyncResult } from "../result/async-result.js";
import { checkOptions, isCount, isDate, isDuration, isList, isRecord, kindOf, refuse, type Check } from "../options/check.js";
import { checkTaskName } from "../options/task-name.js";
import { checkRecurring, optionsData, type RecurringOptions } from "../options/task-options.js";
import { compileSchedule, type ScheduleFunction, type ScheduleOption } from "./schedule.js";

/**
 * A periodic call. If `task` is the task itself, and not only its name, the arguments are checked
 * against it.
 */
export type BeatEntry<Args extends unknown[] = unknown[]> = BeatSettings & (NamedTask | GivenTask<Args>);

/**
 * An entry that is set at run time. Its schedule cannot be a function, which no store could keep.
 */
export type RuntimeEntry<Args extends unknown[] = unknown[]> = BeatEntry<Args> & { readonly schedule: Duration | Schedule };

interface NamedTask {
  readonly task: string;
  /** Default: none. */
  readonly args?: readonly unknown[];
}

type GivenTask<Args extends unknown[]> = {
  readonly task: RecurringTask<Args>;
} & ([] extends Args ? { readonly args?: Readonly<Args> } : { readonly args: Readonly<Args> });

/** A task, or a stub of one. */
interface RecurringTask<Args extends unknown[]> {
  readonly name: string;
  delay(...args: Args): Promise<AsyncResult>;
}

/** The fields of a periodic call beside its task and arguments. */
export interface BeatSettings {
  /**
   * When the call is due: `"20s"` or `every("20s")`, `crontab()`, `solar()`; in the app's options
   * also a function that returns the first due time after another.
   */
  readonly schedule: ScheduleOption;
  /** Options of each call; `expires` counts from the due time. */
  readonly options?: RecurringOptions;
  /** Which missed ticks are sent: none, the latest, or all. Default: `latest`. */
  readonly catchUp?: CatchUp;
  /** A missed tick that is later than this is not sent. Default: no limit. */
  readonly deadline?: Duration;
  /**
   * `skip`: no tick while the task of the last tick has not ended. Only its message in the first of
   * its queues counts, not copies in further queues or the canvas that replaced the task. Default:
   * `allow`.
   */
  readonly overlap?: "allow" | "skip";
  /** Each tick is delayed by a random time up to this, to spread the load. Default: no delay. */
  readonly jitter?: Duration;
  /**
   * The first tick is due no earlier than this; intervals count from here. Default: when a beat
   * first stores the entry.
   */
  readonly startAt?: Date;
  /** The last tick is due no later than this. Default: no end. */
  readonly endAt?: Date;
  /** Maximum number of ticks in all, at least 1. Default: no limit. */
  readonly limit?: number;
}

/** An entry of the app's options, compiled. */
export interface CompiledEntry extends NamedCall {
  /** The schedule, if it is a function. */
  readonly next?: ScheduleFunction;
}

const checks: Record<keyof BeatSettings | keyof NamedTask, Check> = {
  task: isTask,
  args: isList,
  schedule: leftToSchedule,
  options: isRecord,
  catchUp: isOneOf("skip", "latest", "all"),
  deadline: isDuration,
  overlap: isOneOf("allow", "skip"),
  jitter: isDuration,
  startAt: isDate,
  endAt: isDate,
  limit: isCount,
};

/**
 * Compiles the entries of an app's options in a time zone. Throws `INVALID_OPTION`,
 * `INVALID_TASK_NAME`, `INVALID_QUEUE_NAME`, and `ENCODE_ERROR` for arguments or headers that JSON
 * cannot carry.
 */
export function compileEntries(given: Readonly<Record<string, BeatEntry>>, timezone: string): readonly CompiledEntry[] {
  isRecord(given, '"beat" of createApp()');
  return Object.entries(given).map(([name, entry]) => compileEntry(name, entry, timezone));
}

/** Compiles one entry in a time zone. Throws as `compileEntries` does. */
export function compileEntry(name: string, given: BeatEntry, timezone: string): CompiledEntry {
  isEntryName(name);
  const what = `beat entry "${name}"`;
  checkOptions(given, checks, `of ${what}`);
  const { task, args, schedule, options = {}, catchUp, deadline, overlap, jitter, startAt, endAt, limit } = given;
  if (task === undefined) refuse(`"task" of ${what}`, "missing", "a task, or the name of one");
  const taskName = typeof task === "string" ? task : task.name;
  checkTaskName(taskName);
  checkRecurring(what, options);
  if (startAt !== undefined && endAt !== undefined && endAt < startAt) {
    refuse(`"endAt" of ${what}`, endAt.toISOString(), `a time after its startAt, ${startAt.toISOString()}`);
  }
  const call: ScheduledCall = {
    task: taskName,
    schedule: compileSchedule(schedule, `"schedule" of ${what}`, timezone),
    ...(args !== undefined && args.length > 0 && { args: plainCopy(args, `the arguments of ${what}`) }),
    ...(Object.keys(options).length > 0 && { options: plainCopy(optionsData(options), `the options of ${what}`) }),
    ...(catchUp !== undefined && { catchUp }),
    ...(deadline !== undefined && { deadline: toMilliseconds(deadline, "deadline") }),
    ...(overlap !== undefined && { overlap }),
    ...(jitter !== undefined && { jitter: toMilliseconds(jitter, "jitter") }),
    ...(startAt !== undefined && { startAt: startAt.getTime() }),
    ...(endAt !== undefined && { endAt: endAt.getTime() }),
    ...(limit !== undefined && { limit }),
  };
  return { name, call, ...(typeof schedule === "function" && { next: schedule }) };
}

/** Throws `INVALID_OPTION` unless `name` may be the name of an entry: 1 to 200 characters. */
export function isEntryName(name: unknown): void {
  const option = "the name of a beat entry";
  if (typeof name !== "string") refuse(option, kindOf(name), "a string");
  if (name.length < 1 || name.length > 200) refuse(option, `${name.length} characters long`, "1 to 200 characters");
}

/** Copies a value as plain, frozen data. Throws `ENCODE_ERROR`. */
function plainCopy<T>(value: T, what: string): T {
  return JSON.parse(encodeJson(value, what) as string) as T;
}

function isTask(value: unknown, option: string): void {
  const fits =
    typeof value === "string" || ((typeof value === "object" || typeof value === "function") && value !== null && "delay" in value);
  if (!fits) refuse(option, kindOf(value), "a task, or the name of one");
}

/** The entry is checked where it is compiled. */
function leftToSchedule(): void {}

function isOneOf(...words: readonly string[]): Check {
  return (value, option) => {
    if (typeof value === "string" && words.includes(value)) return;
    refuse(option, typeof value === "string" ? JSON.stringify(value.slice(0, 80)) : kindOf(value), `one of ${words.join(", ")}`);
  };
}
