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

/** What can be said both where a task is declared and where it is called; the call wins. */
export interface SharedOptions {
  /** Queue to send to, whatever the routes say. */
  readonly queue?: string;
  /** Exchange to send to, which finds the queues by the routing key. */
  readonly exchange?: string;
  /** Default: the task's name. */
  readonly routingKey?: string;
  /** 0 (first, the default) to 9, within a queue. */
  readonly priority?: number;
  /** How long it may run before it is killed, with `TIME_LIMIT_EXCEEDED` as its failure; 1 ms to 24 days. Default: the worker's, else none. */
  readonly timeLimit?: Duration;
  /** How long it may run before its `signal` aborts with `SoftTimeLimitExceeded`; shorter than `timeLimit`. Default: the worker's, else none. */
  readonly softTimeLimit?: Duration;
  /** Store no result: `get()` then gives `undefined` at once. Default: false. */
  readonly ignoreResult?: boolean;
  /** How often it may be retried; `null` or `Infinity` is for ever. Default: 3. */
  readonly maxRetries?: number | null;
}

/** Options of a task, for all its calls. */
export interface TaskOptions extends SharedOptions {
  /** A message that is older than this when it is taken is revoked instead of run. Default: none. */
  readonly expires?: Duration;
  /** How long its results are kept, at least 1 ms. Default: the app's `resultExpires`, one day. */
  readonly resultExpires?: Duration;
  /**
   * `at-least-once` (default): when its worker dies, another one runs it. `at-most-once`: it has failed then, with `WORKER_LOST`. Late acknowledgement in Celery is the
   * former, early acknowledgement the latter.
   */
  readonly delivery?: "at-least-once" | "at-most-once";
  /** After how many deaths of its worker, or exceptions of its own that nobody caught, it fails with `TASK_POISONED`, from 1. Default: 3. */
  readonly maxCrashes?: number;
  /** Errors after which it is retried, up to `maxRetries` times: classes, or functions that give `true`. Default: none, it asks with `this.retry()`. */
  readonly autoRetryFor?: ErrorMatch | readonly ErrorMatch[];
  /** Time until the next attempt, where neither `this.retry()` nor `retryBackoff` says it. Default: 3 minutes. */
  readonly retryDelay?: Duration;
  /** With `autoRetryFor`: the time until the second attempt, doubled for each further one. `true` is 1 s. Default: `false`, all are `retryDelay`. */
  readonly retryBackoff?: boolean | Duration;
  /** Longest time that `retryBackoff` comes to. Default: 10 minutes. */
  readonly retryBackoffMax?: Duration;
  /** Draw the time between 0 and what `retryBackoff` comes to, so that what failed together is not tried again together. Default: true. */
  readonly retryJitter?: boolean;
  /** Errors that are nothing unusual: a task that fails with one is logged at `info`, without a stack. Default: none. */
  readonly expectedErrors?: ErrorMatch | readonly ErrorMatch[];
}

declare const excluded: unique symbol;

/** Stands in an error of the compiler: an option was given that another one excludes. No value has this type. */
interface Excluded<Reason extends string> {
  readonly [excluded]: Reason;
}

/** When something runs. */
export interface StartOptions {
  /** Run after this time at the earliest. Not together with `eta`. */
  readonly countdown?: Duration;
  /** Run at this time at the earliest. */
  readonly eta?: Date;
}

/** The same, of which one may be given, or none. */
export type CountdownOrEta =
  | { readonly countdown?: Duration & Excluded<"countdown and eta exclude each other: give one of them">; readonly eta?: Date }
  | { readonly countdown?: Duration; readonly eta?: Date & Excluded<"countdown and eta exclude each other: give one of them"> };

/** Options of one call. */
export type CallOptions = CallBasics & CountdownOrEta;

/** The options of a call, whatever excludes what. */
export interface CallSettings extends CallBasics, StartOptions {}

/** Options of one call but for when it runs. */
export interface CallBasics extends SharedOptions {
  /** Revoke instead of run from this time on, or this long after the call. */
  readonly expires?: Duration | Date;
  /** The id, a UUID. Default: a fresh one. A task whose id has a result already does not run again. */
  readonly taskId?: string;
  /** Sent along, free to use. What JSON can carry. */
  readonly headers?: Readonly<Record<string, Json>>;
  /** What runs when it has ended well, and gets its result in front of its arguments, unless it is immutable. */
  readonly link?: Link | readonly Link[];
  /** What runs when it has failed or was revoked, and gets a `FailureInfo` in front of its arguments, unless it is immutable. */
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

/** What fits each option of a call. */
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

/** Options of a call that is made again and again: all but those that would be the same each time. */
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

/** Options of a call as plain data: `Infinity` is a number of retries, and `null` another word for it; a time is an ISO string. */
export function optionsData(options: CallSettings): { readonly [name: string]: Json } {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given.map(([name, value]) => [name, optionData(value)]));
}

function optionData(value: unknown): Json {
  if (value instanceof Date) return value.toISOString();
  return value === Infinity ? null : (value as Json);
}

/** The options that `data` tell of, links aside, with their dates. No duration looks like one. */
export function revivedOptions(data: Readonly<Record<string, unknown>>): CallSettings {
  const dateOf = (value: unknown) => (typeof value === "string" && /^[+-]?\d{4,6}-/.test(value) ? new Date(value) : value);
  const { eta, expires, link: _, linkError: __, ...others } = data;
  return {
    ...others,
    ...(eta !== undefined && { eta: dateOf(eta) }),
    ...(expires !== undefined && { expires: dateOf(expires) }),
  } as CallSettings;
}

/** Whoever makes a canvas of the call looks at its links. */
function leftToCanvas(): void {}

/** Throws `INVALID_OPTION` for an option that does not exist or whose value does not fit, `INVALID_QUEUE_NAME`. */
export function checkTaskOptions(task: string, options: TaskOptions): void {
  checkOptions(options, taskChecks, `in the options of ${task}`);
  compileLimits(task, options);
}

/** The time limits in ms, as a message carries them. Throws `INVALID_OPTION` for a soft one that is not below the hard one. */
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
