import { BullrushError } from "@bullrush/broker";

const mark = Symbol.for("bullrush.ignore");

/** Thrown by `this.ignore()`, for the worker. The task's code must not catch it. */
export class Ignore extends BullrushError<"IGNORE_REQUESTED"> {
  override name = "Ignore";
  /** @internal Marks these errors, whichever copy of this package created them. */
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
