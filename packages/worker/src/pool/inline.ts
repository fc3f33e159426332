import { readMessage } from "@bullrush/broker";
import type { TaskContext } from "@bullrush/client";
import type { Execution } from "../execution/execution.js";
import { invoke } from "../execution/invoke.js";
import type { Surroundings } from "../execution/retry.js";
import type { Pool } from "./pool.js";

/** Runs all tasks on this process's event loop: for work that mostly waits. */
export function inlinePool(contextOf: (execution: Execution) => TaskContext, surroundings: Surroundings): Pool {
  return {
    start: () => Promise.resolve(),
    run: (execution) => {
      const { message, definition, delivery } = execution;
      const { content } = delivery;
      const text = content.type === "message" ? content.text : undefined;
      const original = () => (text === undefined ? message : readMessage(message.id, message.task, text));
      execution.onBegin?.();
      return invoke(contextOf(execution), { message, original, definition, foreign: content.type === "foreign", ...surroundings });
    },
    stop: () => Promise.resolve(),
  };
}
