import { BullrushError } from "@bullrush/broker";

/** The reason of a task's `signal` when it has run for its soft time limit: to be caught by a task that wants to end well, else what it fails of. */
export class SoftTimeLimitExceeded extends BullrushError<"SOFT_TIME_LIMIT_EXCEEDED"> {
  override name = "SoftTimeLimitExceeded";

  /** @param limit in ms */
  constructor(task: string, limit: number) {
    super("SOFT_TIME_LIMIT_EXCEEDED", { task, limit });
  }
}
