import type { AwaitedTasks, Loan } from "@bullrush/client";
import type { Execution } from "./execution.js";

/** An execution whose slot may be lent. */
export type LendingExecution = Pick<Execution, "delivery" | "stop">;

/** What lends the slots of tasks that wait for others. */
export interface SlotLender {
  /** Lends the slot of a task that waits. `undefined` for one that has ended. */
  wait(execution: LendingExecution, awaited: AwaitedTasks): Loan | undefined;
  /** Hears that a task has looked at a result, and whether it was there; the look resolves when the returned promise does. */
  poll(execution: LendingExecution, id: string, ended: boolean, awaited: AwaitedTasks): Promise<void> | undefined;
}
