import type { AwaitedTask } from "../running/loan.js";

/** A task whose result is awaited, and how this process hears of it. */
export interface AwaitedResult extends AwaitedTask {
  /** Whether it may be in any other queue too. Default: false. */
  readonly elsewhere?: boolean;
  /** Whether this process is told of it, because it sent it. */
  readonly own: boolean;
  /** What `missed` of the waiter was before the task was sent; if it still is, no news of the task was missed. */
  readonly missed?: number | undefined;
}
