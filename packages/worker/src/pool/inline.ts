import type { TaskContext } from "@bullrush/client";
import type { Execution } from "../execution/execution.js";
import { invoke } from "../execution/invoke.js";
import type { Surroundings } from "../execution/retry.js";
import type { Pool } from "./pool.js";

/** Runs all tasks on this process's event loop: for work that mostly waits. */
export function inlinePool(contextOf: (execution: Execution) => TaskContext, { clock, random, maxPayload }: Surroundings): Pool {
  return {
    run: (execution) => {
      const { message, definition, delivery } = execution;
      const { content } = delivery;
      const text = content.type === "message" ? content.text : undefined;
      return invoke(contextOf(execution), { message, text, definition, foreign: content.type === "foreign", clock, random, maxPayload });
    },
  };
}
