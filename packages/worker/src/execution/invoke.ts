import { checkSize, encodeErrorOf, encodeJson, toFailure, type Message, type Outcome } from "@bullrush/broker";
import { runInTask, type Layers, type TaskContext, type TaskDefinition } from "@bullrush/client";
import { executeThrough } from "./execute-through.js";
import { outcomeOf, type Attempt } from "./retry.js";
import { seenExecution } from "./seen.js";

/** What is the same for all executions of a pool. */
export interface Invoking<Execution> {
  /** Longest encoded result, in bytes. */
  readonly maxPayload: number;
  /** What decides about an execution whose function has thrown; it is made for no other. */
  readonly attemptOf: (execution: Execution, definition: TaskDefinition) => Attempt;
  /** Whether the arguments of an execution are those of several calls, one after the other. */
  readonly isEach: (execution: Execution) => boolean;
  readonly readerOf: (execution: Execution) => Reader;
  /** The middleware of the app. */
  readonly layers: Pick<Layers, "execute">;
  readonly seen: (execution: Execution) => { readonly message: Message; readonly queue: string };
  /** Hears, at once, that the function of a task has ended. Default: nobody does. */
  readonly onEnd?: ((context: TaskContext) => void) | undefined;
}

/** Who reads what a function returns: a result, a link or a flow; nobody; or the plain BullMQ producer that sent the job. */
export type Reader = "ours" | "nobody" | "external";

/** Calls the function of the task that `definition` declares, through the middleware, and says how `execution` ended. Never rejects. */
export function invoke<Execution>(
  context: TaskContext,
  definition: TaskDefinition,
  execution: Execution,
  invoking: Invoking<Execution>,
): Promise<Outcome> {
  const layers = invoking.layers.execute;
  if (layers === undefined) return callFunction(context, definition, execution, invoking);
  const { message, queue } = invoking.seen(execution);
  const through = {
    layers,
    execution: seenExecution(message, queue, context.worker),
    run: (onValue: (value: unknown) => void) => callFunction(context, definition, execution, invoking, onValue),
    outcomeOf: (error: unknown) => outcomeOf(reasonBehind(error, context), invoking.attemptOf(execution, definition)),
  };
  return runInTask(context, () => executeThrough(through)).finally(() => invoking.onEnd?.(context));
}

async function callFunction<Execution>(
  context: TaskContext,
  definition: TaskDefinition,
  execution: Execution,
  { maxPayload, attemptOf, isEach, readerOf, onEnd }: Invoking<Execution>,
  onValue?: (value: unknown) => void,
): Promise<Outcome> {
  const { name, run } = definition;
  let returned: unknown;
  try {
    returned = await runInTask(context, () => (isEach(execution) ? callEach(context, run) : run.call(context, ...context.args)));
  } catch (error) {
    onEnd?.(context);
    return outcomeOf(reasonBehind(error, context), attemptOf(execution, definition));
  }
  onEnd?.(context);
  onValue?.(returned);
  const what = `the result of ${name}`;
  switch (readerOf(execution)) {
    case "ours":
      return succeeded(returned, what, maxPayload);
    case "nobody":
      return unread(returned, what);
    case "external":
      return returnValueOf(returned);
  }
}

/** Calls the function of a chunk for each list of arguments, until it is asked to end. */
async function callEach(context: TaskContext, run: TaskDefinition["run"]): Promise<readonly unknown[]> {
  const returned: unknown[] = [];
  for (const args of context.args as readonly (readonly unknown[])[]) {
    if (returned.length > 0) context.signal.throwIfAborted();
    // One after the other: that is what a chunk is for.
    const value: unknown = await run.call(context, ...args);
    // What an array cannot carry is what JSON makes of it there.
    returned.push(value === undefined ? null : value);
  }
  return returned;
}

/** Timers and streams that were given the signal throw an AbortError of their own; its cause, the reason of the signal, is what the task has failed of. */
function reasonBehind(error: unknown, context: TaskContext): unknown {
  try {
    const aborted = error instanceof Error && error.name === "AbortError" && error.cause !== undefined;
    return aborted && error.cause === context.signal.reason ? error.cause : error;
  } catch {
    // A proxy, or a getter, that throws when it is asked.
    return error;
  }
}

/** A result that somebody reads and that cannot be sent is a failure, and no reason to do the work again. */
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

/** What nobody reads is not encoded, and is no reason to fail. */
function unread(returned: unknown, what: string): Outcome {
  const error = encodeErrorOf(returned, what);
  return error === undefined ? { type: "succeeded" } : { type: "succeeded", unsendable: error.message };
}

/** As BullMQ's Worker has it: whatever `JSON.stringify` makes of it, of any length. */
function returnValueOf(returned: unknown): Outcome {
  try {
    const result: string | undefined = JSON.stringify(returned);
    return result === undefined ? { type: "succeeded" } : { type: "succeeded", result };
  } catch (error) {
    return { type: "failed", failure: toFailure(error) };
  }
}
