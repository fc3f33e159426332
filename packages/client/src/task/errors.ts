import { BullrushError } from "@bullrush/broker";

/**
 * The reason of a task's `signal` when its soft time limit is over. The task can catch it and end
 * normally; otherwise it fails with it.
 */
export class SoftTimeLimitExceeded extends BullrushError<"SOFT_TIME_LIMIT_EXCEEDED"> {
  override name = "SoftTimeLimitExceeded";

  /** @param limit in ms */
  constructor(task: string, limit: number) {
    super("SOFT_TIME_LIMIT_EXCEEDED", { task, limit });
  }
}
