import { checkSize, encodeJson, toFailure, type Outcome } from "@bullrush/broker";
import { runInTask, type TaskContext } from "@bullrush/client";
import { outcomeOf, type Attempt } from "./retry.js";

/** Calls the function of a task, and says how it ended. Never rejects. */
export async function invoke(context: TaskContext, attempt: Attempt): Promise<Outcome> {
  const { name, run } = attempt.definition;
  let returned: unknown;
  try {
    returned = await runInTask(context, () => run.call(context, ...context.args));
  } catch (error) {
    return outcomeOf(reasonBehind(error, context), attempt);
  }
  return succeeded(returned, `the result of ${name}`, attempt.maxPayload);
}

/** Timers and streams that were given the signal throw an AbortError of their own; its cause, the reason of the signal, is what the task has failed of. */
function reasonBehind(error: unknown, context: TaskContext): unknown {
  const aborted = error instanceof Error && error.name === "AbortError" && error.cause !== undefined;
  return aborted && error.cause === context.signal.reason ? error.cause : error;
}

/** A result that cannot be sent is a failure, and no reason to do the work again. */
function succeeded(returned: unknown, what: string, maxPayload: number): Outcome {
  try {
    const result = encodeJson(returned, what);
    if (result === undefined) return { type: "succeeded" };
    checkSize(result, what, maxPayload);
    return { type: "succeeded", result };
  } catch (error) {
    return { type: "failed", failure: toFailure(error) };
  }
}
