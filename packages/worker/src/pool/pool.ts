import type { Outcome } from "@bullrush/broker";
import type { Execution } from "../execution/execution.js";

/** Where the functions of tasks run. */
export interface Pool {
  /** Resolves when functions can be run. Rejects with `POOL_FAILED` when they cannot, and resolves early when it is stopped meanwhile. */
  start(): Promise<void>;
  /** Runs the function and says how it ended. Calls `onBegin` when it begins. Never rejects. */
  run(execution: Execution): Promise<Outcome>;
  /** Ends all that functions run in; what still runs is killed. */
  stop(): Promise<void>;
}
