import { BullrushError } from "@bullrush/broker";

const mark = Symbol.for("bullrush.ignore");

/** What `this.ignore()` throws, for the worker to see. Code of the task that catches it has to let it pass. */
export class Ignore extends BullrushError<"IGNORE_REQUESTED"> {
  override name = "Ignore";
  /** @internal How it is told from other errors, whichever copy of this package made it. */
  readonly [mark] = true;

  /** @internal */
  constructor(task: string) {
    super("IGNORE_REQUESTED", { task });
  }
}

/** @internal Whether `error` was thrown by `this.ignore()`. */
export function isIgnore(error: unknown): error is Ignore {
  return error instanceof BullrushError && mark in error;
}
