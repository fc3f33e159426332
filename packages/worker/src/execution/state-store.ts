import { encodeRecord } from "@bullrush/broker";
import type { App } from "@bullrush/client";
import type { Logger } from "pino";
import type { Execution } from "./execution.js";

/** Stores a state of a task's own, with `meta`, which is JSON; as often as `Reports` does. Never rejects. */
export type StoreState = (execution: Execution, state: string, meta: string | undefined) => Promise<void>;

/** Stores in the result backend of `app`, for the worker of this name. */
export function stateStore(app: App, worker: string, log: Logger): StoreState {
  async function store(
    { definition, delivery, message, startedAt }: Execution,
    state: string,
    metaText: string | undefined,
  ): Promise<void> {
    const { number, queue } = delivery;
    const { id, task, retries, replyTo, lastFailure: failure } = message;
    const expires = definition.resultExpires ?? app.options.resultExpires;
    const record = encodeRecord({ state, delivery: number, metaText, failure, task, queue, worker, attempt: retries + 1, startedAt });
    try {
      await app.engine.results.store([{ id, delivery: number, expires, replyTo, record }]);
      if (log.isLevelEnabled("debug")) log.debug({ task, id, state, ...stepsOf(metaText) }, "state");
    } catch (error) {
      log.warn({ task, id, reason: error instanceof Error ? error.message : String(error) }, "state not stored");
    }
  }
  return (execution, state, meta) =>
    execution.storesResult ? execution.trace.report(state, () => store(execution, state, meta)) : Promise.resolve();
}

/** How far it is, if it says so in two numbers: all else that a task says is a payload, and not for the log. */
function stepsOf(meta: string | undefined): { readonly current?: number; readonly total?: number } {
  const { current, total } = Object(meta === undefined ? undefined : JSON.parse(meta)) as Partial<Record<string, unknown>>;
  return typeof current === "number" && typeof total === "number" ? { current, total } : {};
}
