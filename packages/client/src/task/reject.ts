import { BullrushError } from "@bullrush/broker";
import { checkOptions, isFlag, isText, type Check } from "../options/check.js";

/** What `this.reject()` does with the message. */
export interface RejectOptions {
  /**
   * Whether to put the message back into its queue, for any worker to take again after a second;
   * the attempt does not count. Default: false, the task fails with `TASK_REJECTED` and its message
   * becomes a dead letter.
   */
  readonly requeue?: boolean;
  /** The reason, for the failure and the log. */
  readonly reason?: string;
}

const checks: Record<keyof RejectOptions, Check> = { requeue: isFlag, reason: isText };

const mark = Symbol.for("bullrush.reject");

/** Thrown by `this.reject()`, for the worker. The task's code must not catch it. */
export class Reject extends BullrushError<"TASK_REJECTED"> {
  override name = "Reject";
  /** @internal Marks these errors, whichever copy of this package created them. */
  readonly [mark] = true;
  readonly requeue: boolean;

  /** @internal Throws `INVALID_OPTION`. */
  constructor(task: string, options: RejectOptions = {}) {
    checkOptions(options, checks, `of this.reject() in ${task}`);
    super("TASK_REJECTED", { task, reason: options.reason ?? "no reason given" });
    this.requeue = options.requeue ?? false;
  }
}

/** @internal Whether `error` was thrown by `this.reject()`. */
export function isReject(error: unknown): error is Reject {
  return error instanceof BullrushError && mark in error;
}
