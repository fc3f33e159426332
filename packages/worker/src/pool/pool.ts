import type { Outcome } from "@bullrush/broker";
import type { Execution } from "../execution/execution.js";

/** Where the functions of tasks run. */
export interface Pool {
  /** Runs the function and says how it ended. Never rejects. */
  run(execution: Execution): Promise<Outcome>;
}
