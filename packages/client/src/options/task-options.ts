import { toMilliseconds, type Duration, type Json, type Message } from "@bullrush/broker";
import {
  checkOptions,
  isBackoff,
  isCount,
  isDate,
  isDelivery,
  isDuration,
  isFlag,
  isId,
  isLifetime,
  isName,
  isPriority,
  isQueue,
  isRecord,
  isRetryLimit,
  isText,
  isTimeLimit,
  refuse,
  type Check,
} from "./check.js";
import type { Link } from "./link.js";
import { isErrorMatch, type ErrorMatch } from "./error-match.js";

/** Options that both a task's declaration and a call can have; the call wins. */
export interface SharedOptions {
  /** Queue to send to, instead of the routes' choice. */
  readonly queue?: string;
  /** Exchange to send to; it finds the queues by the routing key. */
  readonly exchange?: string;
  /** Routing key. Default: the task's name. */
  readonly routingKey?: string;
  /** 0 (first, the default) to 9, within a queue. */
  readonly priority?: number;
  /**
   * How long a run may take before it is killed and fails with `TIME_LIMIT_EXCEEDED`; 1 ms to 24
   * days. Default: the worker's, else none.
   */
  readonly timeLimit?: Duration;
  /**
   * How long a run may take before its `signal` aborts with `SoftTimeLimitExceeded`; shorter than
   * `timeLimit`. Default: the worker's, else none.
   */
  readonly softTimeLimit?: Duration;
  /** Whether to store no result; `get()` then resolves to `undefined` at once. Default: false. */
  readonly ignoreResult?: boolean;
  /** Maximum number of retries; `null` or `Infinity` means no limit. Default: 3. */
  readonly maxRetries?: number | null;
}

/** Options of a task, for all its calls. */
export interface TaskOptions extends SharedOptions {
  /**
   * A message that is older than this when it is taken is revoked instead of run. Default: none.
   */
  readonly expires?: Duration;
  /** How long its results are kept, at least 1 ms. Default: the app's `resultExpires`, one day. */
  readonly resultExpires?: Duration;
  /**
   * `at-least-once` (default): when the worker dies, another one runs the task, as with Celery's
   * late acknowledgement. `at-most-once`: the task fails with `WORKER_LOST`, as with early
   * acknowledgement.
   */
  readonly delivery?: "at-least-once" | "at-most-once";
  /**
   * After how many crashes of its worker, or uncaught exceptions of its own, the task fails with
   * `TASK_POISONED`; at least 1. Default: 3.
   */
  readonly maxCrashes?: number;
  /**
   * Errors after which the task is retried, up to `maxRetries` times: classes, or functions that
   * return `true`. Default: none; the task calls `this.retry()` itself.
   */
  readonly autoRetryFor?: ErrorMatch | readonly ErrorMatch[];
  /**
   * Time until the next attempt, unless `this.retry()` or `retryBackoff` sets it. Default: 3
   * minutes.
   */
  readonly retryDelay?: Duration;
  /**
   * With `autoRetryFor`: the time until the second attempt, doubled for each further one. `true` is
   * 1 s. Default: `false`, always `retryDelay`.
   */
  readonly retryBackoff?: boolean | Duration;
  /** Maximum time that `retryBackoff` reaches. Default: 10 minutes. */
  readonly retryBackoffMax?: Duration;
  /**
   * Whether to draw the time between 0 and that of `retryBackoff`, so that tasks that failed
   * together are not retried together. Default: true.
   */
  readonly retryJitter?: boolean;
  /**
   * Expected errors: a task that fails with one is logged at `info`, without a stack. Default:
   * none.
   */
  readonly expectedErrors?: ErrorMatch | readonly ErrorMatch[];
}

declare const excluded: unique symbol;

/** A compile error: two options that exclude each other. No value has this type. */
interface Excluded<Reason extends string> {
  readonly [excluded]: Reason;
}

/** Options for when a task runs. */
export interface StartOptions {
  /** The task runs no earlier than this after the call. Not together with `eta`. */
  readonly countdown?: Duration;
  /** The task runs no earlier than this. */
  readonly eta?: Date;
}

/** The same options, at most one of them. */
export type CountdownOrEta =
  | { readonly countdown?: Duration & Excluded<"countdown and eta exclude each other: give one of them">; readonly eta?: Date }
  | { readonly countdown?: Duration; readonly eta?: Date & Excluded<"countdown and eta exclude each other: give one of them"> };

/** Options of one call. */
export type CallOptions = CallBasics & CountdownOrEta;

/** The options of a call, without exclusions. */
export interface CallSettings extends CallBasics, StartOptions {}

/** Options of one call, except for when it runs. */
export interface CallBasics extends SharedOptions {
  /** The time, or the duration after the call, from which the task is revoked instead of run. */
  readonly expires?: Duration | Date;
  /**
   * The id, a UUID. A task whose id already has a result does not run again. Default: a fresh one.
   */
  readonly taskId?: string;
  /** Headers of the message, free to use. Values that JSON can carry. */
  readonly headers?: Readonly<Record<string, Json>>;
  /**
   * Runs when the task has succeeded, and gets its result in front of its arguments, unless it is
   * immutable.
   */
  readonly link?: Link | readonly Link[];
  /**
   * Runs when the task has failed or was revoked, and gets a `FailureInfo` in front of its
   * arguments, unless it is immutable.
   */
  readonly linkError?: Link | readonly Link[];
}

const shared: Record<keyof SharedOptions, Check> = {
  queue: isQueue,
  exchange: isName,
  routingKey: isText,
  priority: isPriority,
  timeLimit: isTimeLimit,
  softTimeLimit: isTimeLimit,
  ignoreResult: isFlag,
  maxRetries: isRetryLimit,
};

const taskChecks: Record<keyof TaskOptions, Check> = {
  ...shared,
  expires: isDuration,
  resultExpires: isLifetime,
  delivery: isDelivery,
  maxCrashes: isCount,
  autoRetryFor: isErrorMatch,
  retryDelay: isDuration,
  retryBackoff: isBackoff,
  retryBackoffMax: isLifetime,
  retryJitter: isFlag,
  expectedErrors: isErrorMatch,
};

/** The check of each option of a call. */
export const callChecks: Record<keyof CallSettings, Check> = {
  ...shared,
  countdown: isDuration,
  eta: isDate,
  expires: (value, option) => (value instanceof Date ? isDate(value, option) : isDuration(value, option)),
  taskId: isId,
  headers: isRecord,
  link: leftToCanvas,
  linkError: leftToCanvas,
};

/** Options of a periodic call: all except those that must differ in each call. */
export type RecurringOptions = Omit<CallSettings, "countdown" | "eta" | "taskId" | "link" | "linkError">;

const recurringChecks: Record<keyof RecurringOptions, Check> = {
  ...shared,
  expires: callChecks.expires,
  headers: callChecks.headers,
};

/**
 * Throws `INVALID_OPTION` and `INVALID_QUEUE_NAME` as `checkCall` does.
 * @param what what errors call it, such as `beat entry "nightly"`
 */
export function checkRecurring(what: string, options: RecurringOptions): void {
  checkOptions(options, recurringChecks, `in the options of ${what}`);
  compileLimits(what, options);
}

/**
 * Options of a call as plain data: the string `Infinity` is a number of retries, as is `null`; a
 * time is an ISO string.
 */
export function optionsData(options: CallSettings): { readonly [name: string]: Json } {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given.map(([name, value]) => [name, optionData(value)]));
}

function optionData(value: unknown): Json {
  if (value instanceof Date) return value.toISOString();
  return value === Infinity ? null : (value as Json);
}

/**
 * The options of `data` without links, with their dates restored. No duration looks like a date.
 */
export function revivedOptions(data: Readonly<Record<string, unknown>>): CallSettings {
  const dateOf = (value: unknown) => (typeof value === "string" && /^[+-]?\d{4,6}-/.test(value) ? new Date(value) : value);
  const { eta, expires, link: _, linkError: __, ...others } = data;
  return {
    ...others,
    ...(eta !== undefined && { eta: dateOf(eta) }),
    ...(expires !== undefined && { expires: dateOf(expires) }),
  } as CallSettings;
}

/** Links are checked where the canvas of the call is made. */
function leftToCanvas(): void {}

/** Throws `INVALID_OPTION` for an option that is unknown or invalid, and `INVALID_QUEUE_NAME`. */
export function checkTaskOptions(task: string, options: TaskOptions): void {
  checkOptions(options, taskChecks, `in the options of ${task}`);
  compileLimits(task, options);
}

/**
 * The time limits in ms, as a message carries them. Throws `INVALID_OPTION` for a soft limit that
 * is not below the hard one.
 */
export function compileLimits(task: string, options: TimeLimitOptions): Pick<Message, "timeLimit" | "softTimeLimit"> {
  const hard = options.timeLimit === undefined ? undefined : toMilliseconds(options.timeLimit, "timeLimit");
  const soft = options.softTimeLimit === undefined ? undefined : toMilliseconds(options.softTimeLimit, "softTimeLimit");
  if (hard !== undefined && soft !== undefined && soft >= hard) {
    refuse(`"softTimeLimit" of ${task}`, `${soft} ms`, `less than its timeLimit, ${hard} ms`);
  }
  return { ...(hard !== undefined && { timeLimit: hard }), ...(soft !== undefined && { softTimeLimit: soft }) };
}

interface TimeLimitOptions {
  readonly timeLimit?: Duration | undefined;
  readonly softTimeLimit?: Duration | undefined;
}
