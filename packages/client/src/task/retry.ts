import { BullrushError } from "@bullrush/broker";
import { checkOptions, isDate, isDuration, isList, isRetryLimit, refuse, type Check } from "../options/check.js";
import type { CountdownOrEta, StartOptions } from "../options/task-options.js";

/** How `this.retry()` tries a task again. */
export type RetryOptions = RetryBasics & CountdownOrEta;

/** The same, whatever excludes what. */
interface RetrySettings extends RetryBasics, StartOptions {}

/** How a task is tried again, but for when: after the task's `retryDelay`, unless `countdown` or `eta` says it. */
interface RetryBasics {
  /** Why: what observers see meanwhile, and what the task fails with when it may not be tried again. Default: `MAX_RETRIES_EXCEEDED` in that case. */
  readonly error?: unknown;
  /** How often the task may be retried in all; `null` or `Infinity` is for ever. Default: the call's, else the task's `maxRetries`. */
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

/** What `this.retry()` throws, for the worker to see. Code of the task that catches it has to let it pass. */
export class Retry extends BullrushError<"RETRY_REQUESTED"> {
  override name = "Retry";
  /** @internal How it is told from other errors, whichever copy of this package made it. */
  readonly [mark] = true;
  readonly options: RetrySettings;

  /** @internal Throws `INVALID_OPTION` for an option that does not exist or whose value does not fit, and for both `countdown` and `eta`. */
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
