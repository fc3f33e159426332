import type { AwaitedTask } from "../running/loan.js";

/** A task whose result is awaited, and whether this process is notified of it. */
export interface AwaitedResult extends AwaitedTask {
  /** Whether its message may be in any other queue too. Default: false. */
  readonly elsewhere?: boolean;
  /** Whether this process is notified of the end, because it sent the task. */
  readonly own: boolean;
  /**
   * The waiter's `missed` before the task was sent. If it is unchanged, no notification was missed.
   */
  readonly missed?: number | undefined;
}
