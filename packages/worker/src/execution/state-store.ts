import { encodeRecord } from "@bullrush/broker";
import type { App } from "@bullrush/client";
import type { Logger } from "pino";
import type { Execution } from "./execution.js";

/** Stores a state of a task's own, with `meta`, which is what JSON can carry. Never rejects. */
export type StoreState = (execution: Execution, state: string, meta: unknown) => Promise<void>;

/** Stores in the result backend of `app`, for the worker of this name. */
export function stateStore(app: App, worker: string, log: Logger): StoreState {
  return async ({ definition, delivery, message, startedAt, storesResult }, state, meta) => {
    if (!storesResult) return;
    const { number, queue } = delivery;
    const { id, task, retries } = message;
    const expires = definition.resultExpires ?? app.options.resultExpires;
    const record = encodeRecord({ state, delivery: number, meta, task, queue, worker, attempt: retries + 1, startedAt });
    try {
      await app.backend.store([{ id, delivery: number, expires, record }]);
    } catch (error) {
      log.warn({ task, id, reason: error instanceof Error ? error.message : String(error) }, "state not stored");
    }
  };
}
