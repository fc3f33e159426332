import { BullrushError } from "@bullrush/broker";
import { checkOptions, isFlag, isText, type Check } from "../options/check.js";

/** How `this.reject()` gets rid of a message. */
export interface RejectOptions {
  /** Put it back into its queue, to be taken again in a second, by whichever worker: the attempt does not count. Default: false, the task fails with `TASK_REJECTED` and its message is kept among the dead letters. */
  readonly requeue?: boolean;
  /** Why, for the failure and the log. */
  readonly reason?: string;
}

const checks: Record<keyof RejectOptions, Check> = { requeue: isFlag, reason: isText };

const mark = Symbol.for("bullrush.reject");

/** What `this.reject()` throws, for the worker to see. Code of the task that catches it has to let it pass. */
export class Reject extends BullrushError<"TASK_REJECTED"> {
  override name = "Reject";
  /** @internal How it is told from other errors, whichever copy of this package made it. */
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
