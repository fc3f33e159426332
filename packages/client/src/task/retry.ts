import { BullrushError } from "@bullrush/broker";
import { checkOptions, isDate, isDuration, isList, isRetryLimit, refuse, type Check } from "../options/check.js";
import type { CountdownOrEta, StartOptions } from "../options/task-options.js";

/** Options of `this.retry()`. */
export type RetryOptions = RetryBasics & CountdownOrEta;

/** The same options, without exclusions. */
interface RetrySettings extends RetryBasics, StartOptions {}

/**
 * Options of `this.retry()`, except for when: after the task's `retryDelay`, unless `countdown` or
 * `eta` is set.
 */
interface RetryBasics {
  /**
   * The reason: observers see it until the next attempt, and the task fails with it after its last
   * retry. Default: `MAX_RETRIES_EXCEEDED` after the last retry.
   */
  readonly error?: unknown;
  /**
   * Maximum number of retries in all; `null` or `Infinity` means no limit. Default: the call's,
   * else the task's `maxRetries`.
   */
  readonly maxRetries?: number | null;
  /** Arguments of the next attempt. Default: the same. */
  readonly args?: readonly unknown[];
}

const checks: Record<keyof RetrySettings, Check> = {
  countdown: isDuration,
  eta: isDate,
  error: () => undefined,
  maxRetries: isRetryLimit,
  args: isList,
};

const mark = Symbol.for("bullrush.retry");

/** Thrown by `this.retry()`, for the worker. The task's code must not catch it. */
export class Retry extends BullrushError<"RETRY_REQUESTED"> {
  override name = "Retry";
  /** @internal Marks these errors, whichever copy of this package created them. */
  readonly [mark] = true;
  readonly options: RetrySettings;

  /**
   * @internal Throws `INVALID_OPTION` for an option that is unknown or invalid, and for both
   * `countdown` and `eta`.
   */
  constructor(task: string, options: RetryOptions = {}) {
    super("RETRY_REQUESTED", { task });
    checkOptions(options, checks, `of this.retry() in ${task}`);
    if (options.countdown !== undefined && options.eta !== undefined) {
      refuse(`"countdown" of this.retry() in ${task}`, "given beside eta", "one of the two");
    }
    this.options = options;
  }
}

/** @internal Whether `error` was thrown by `this.retry()`. */
export function isRetry(error: unknown): error is Retry {
  return error instanceof BullrushError && mark in error;
}
