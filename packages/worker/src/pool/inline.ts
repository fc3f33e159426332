import { checkSize, encodeJson, toFailure, type Outcome } from "@bullrush/broker";
import { runInTask, type TaskContext } from "@bullrush/client";
import type { Execution } from "../execution/execution.js";
import type { Pool } from "./pool.js";

/** Runs all tasks on this process's event loop: for work that mostly waits. */
export function inlinePool(contextOf: (execution: Execution) => TaskContext, maxPayload: number): Pool {
  async function run(execution: Execution): Promise<Outcome> {
    const { definition, message } = execution;
    const context = contextOf(execution);
    try {
      const returned = await runInTask(context, () => definition.run.call(context, ...message.args));
      const what = `the result of ${message.task}`;
      const result = encodeJson(returned, what);
      if (result === undefined) return { type: "succeeded" };
      checkSize(result, what, maxPayload);
      return { type: "succeeded", result };
    } catch (error) {
      return { type: "failed", failure: toFailure(error) };
    }
  }
  return { run };
}
