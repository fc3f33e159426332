import { systemClock, type TaskRecord } from "@bullrush/broker";
import { onTestFinished } from "vitest";
import { openRevoke } from "../../src/control/revoke.js";
import { BullrushError, type App, type AsyncResult } from "../../src/index.js";
import type { ResultSource } from "../../src/result/reference.js";
import { ResultWaiter } from "../../src/result/waiter.js";
import { store, testApp } from "../support.js";

/** An app and the handle on a task that it has sent. */
export async function sent(options: object = {}) {
  const app = testApp();
  return { app, re: await app.sendTask("tasks.a", [1], options) };
}

/** The handle on a task of this app whose record is stored already. */
export async function ended(record: Parameters<typeof store>[2]) {
  const { app, re } = await sent();
  await store(app, re, { task: "tasks.a", ...record });
  return { app, re };
}

export const failure = {
  name: "OutOfStock",
  message: "none left",
  code: "E_STOCK",
  stack: "OutOfStock: none left\n    at far away",
  cause: { name: "TypeError", message: "underneath" },
};

/** What handles need of `app`. */
export function sourceOf(app: Pick<App, "engine" | "options">): () => ResultSource {
  const { engine, options } = app;
  const waiter = new ResultWaiter(engine.results, engine.queues);
  onTestFinished(() => waiter.close(new BullrushError("APP_CLOSED", { app: "test" })));
  const revoke = openRevoke({ engine, lifetimeOf: () => options.resultExpires, clock: systemClock });
  return () => ({ engine, options, waiter, revoke });
}

/** So many tasks of `app`, sent. */
export function several(app: App, count: number): Promise<readonly AsyncResult[]> {
  return app.publishAll(Array.from({ length: count }, (_, index) => app.stub(`tasks.t${index}`).s()));
}

/** Notifies the waiting clients of the end of a task. */
export function tell(app: App, { id }: { readonly id: string }, record: Partial<TaskRecord>): Promise<void> {
  return store(app, { id, replyTo: app.engine.results.replyChannel }, record);
}
