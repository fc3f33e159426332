import { newId, type BrokerFacets } from "@bullrush/broker";
import { describe, expect, test } from "vitest";
import { eventually } from "../../../../integration/lib/eventually.js";
import { AsyncResult, chain } from "../../src/index.js";
import { ResultWaiter } from "../../src/result/waiter.js";
import { failing, store, take, testApp } from "../support.js";
import { ended, failure, sent } from "./tasks.js";

describe("status()", () => {
  test("of a task on its way", async () => {
    const { app, re } = await sent();
    const foreign = testApp({ prefix: app.options.prefix }).asyncResult(re.id);
    const both = async () => [await re.status(), await foreign.status()];
    expect(await both()).toEqual(["PENDING", "PENDING"]);
    const { end } = await take(app);
    expect(await both()).toEqual(["STARTED", "STARTED"]);
    await store(app, re, { state: "PROGRESS", meta: { done: 50 } });
    expect(await both()).toEqual(["PROGRESS", "PROGRESS"]);
    await end({ type: "succeeded", result: "7" }, { result: 7 });
    expect(await both()).toEqual(["SUCCESS", "SUCCESS"]);
    await re.forget();
    expect(await both()).toEqual(["UNKNOWN", "UNKNOWN"]);
  });

  test.each<[what: string, options: object]>([
    ["a route", {}],
    ["an option of the call", { queue: "called" }],
    ["an option of the call, with a priority", { queue: "called", priority: 3 }],
    ["an option of the call, with a countdown", { queue: "called", countdown: "1h" }],
    ["a call whose result nobody wants", { queue: "called", ignoreResult: true }],
  ])("of a task in a queue that only %s names, asked elsewhere by its id", async (_, options) => {
    const app = testApp({ routes: { "tasks.*": "routed" } });
    const re = await app.sendTask("tasks.a", [1], options);
    const asked = testApp({ prefix: app.options.prefix }).asyncResult(re.id);
    expect(await asked.status()).toBe("PENDING");
    expect(await asked.get({ timeout: 300 }).catch((error: unknown) => error)).toEqual(failing("TASK_TIMEOUT"));
  });

  test("of a member of a canvas in a queue that only a call names, asked elsewhere by its id", async () => {
    const app = testApp();
    const first = app.signature("tasks.a").set({ queue: "first" });
    const last = await chain(first, app.signature("tasks.b").set({ queue: "last" })).delay();
    const other = testApp({ prefix: app.options.prefix });
    expect(await other.asyncResult(last.parent?.id ?? "").status()).toBe("PENDING");
    await take(app, "first");
    expect(await other.asyncResult(last.parent?.id ?? "").status()).toBe("STARTED");
  });

  test("of a task that waited to be retried and runs again, and has not said so", async () => {
    const { app, re } = await sent();
    await store(app, re, { state: "RETRY", failure, eta: 1000, attempt: 1 });
    expect(await re.status()).toBe("RETRY");
    await take(app);
    expect(await re.status()).toBe("STARTED");
  });

  test("of a task that is not due", async () => {
    const { re } = await sent({ countdown: "1h" });
    expect(await re.status()).toBe("PENDING");
  });

  test("of a task in a queue that only its sender knows", async () => {
    const { re } = await sent({ queue: "elsewhere" });
    expect(await re.status()).toBe("PENDING");
  });

  test("of a task that was put back and claimed", async () => {
    const { app, re } = await sent();
    await app.engine.results.claim([{ id: re.id, delivery: 2, expires: 60_000, worker: "w2" }]);
    expect(await re.status()).toBe("STARTED");
  });

  test("of a task that failed or was revoked", async () => {
    expect(await (await ended({ state: "FAILURE", failure })).re.status()).toBe("FAILURE");
    expect(await (await ended({ state: "REVOKED", reason: "expired" })).re.status()).toBe("REVOKED");
  });

  test("of a task that ends between the look at its record and that at its queue", async () => {
    const { app, re } = await sent();
    const locate: BrokerFacets["queues"]["locate"] = async (ids) => {
      const { end } = await take(app);
      await end({ type: "succeeded", result: "7" }, { result: 7 });
      return app.engine.queues.locate(ids);
    };
    const revoke = async () => [];
    const waiter = new ResultWaiter(app.engine.results, app.engine.queues);
    const source = { engine: { ...app.engine, queues: { ...app.engine.queues, locate } }, waiter, revoke, options: app.options };
    const handle = new AsyncResult(() => source, { id: re.id, queues: ["default"], own: true });
    expect(await handle.status()).toBe("SUCCESS");
  });

  test("of an id that nobody knows", async () => {
    expect(await testApp().asyncResult(newId()).status()).toBe("UNKNOWN");
  });

  test("of a task whose queue was purged", async () => {
    const { app, re } = await sent();
    await app.engine.queues.purge("default");
    expect(await re.status()).toBe("UNKNOWN");
  });
});

describe("calls that do not wait", () => {
  const look = async (re: AsyncResult) => ({
    ready: await re.ready(),
    successful: await re.successful(),
    failed: await re.failed(),
    result: await re.result(),
    info: await re.info(),
    worker: await re.worker(),
    attempts: await re.attempts(),
  });
  const nothing = {
    ready: false,
    successful: false,
    failed: false,
    result: undefined,
    info: undefined,
    worker: undefined,
    attempts: undefined,
  };

  test("before the end", async () => {
    const { app, re } = await sent();
    expect(await look(re)).toEqual(nothing);
    await take(app);
    expect(await look(re)).toEqual(nothing);
    expect(await look(app.asyncResult(newId()))).toEqual(nothing);
  });

  test("during progress", async () => {
    const { re } = await ended({ state: "PROGRESS", meta: { done: 50 } });
    expect(await look(re)).toEqual({ ...nothing, info: { done: 50 }, worker: "w1", attempts: 1 });
  });

  test("while it waits for a retry", async () => {
    const { re } = await ended({ state: "RETRY", failure, eta: 1_900_000_000_000, attempt: 2 });
    expect(await re.status()).toBe("RETRY");
    expect(await look(re)).toEqual({ ...nothing, info: { failure, eta: new Date(1_900_000_000_000) }, worker: "w1", attempts: 2 });
  });

  test("after success", async () => {
    const { re } = await ended({ result: { sum: 3 }, attempt: 3, worker: "w2" });
    const value = { sum: 3 };
    expect(await look(re)).toEqual({ ready: true, successful: true, failed: false, result: value, info: value, worker: "w2", attempts: 3 });
  });

  test("after failure", async () => {
    const { re } = await ended({ state: "FAILURE", failure });
    const error = expect.objectContaining({ code: "TASK_FAILED", failure });
    expect(await look(re)).toEqual({ ready: true, successful: false, failed: true, result: error, info: error, worker: "w1", attempts: 1 });
  });

  test("after it was revoked", async () => {
    const { re } = await ended({ state: "REVOKED", reason: "expired" });
    const error = failing("TASK_REVOKED", { reason: "expired" });
    expect(await look(re)).toEqual({
      ready: true,
      successful: false,
      failed: false,
      result: error,
      info: error,
      worker: "w1",
      attempts: 1,
    });
  });

  test("after it was forgotten", async () => {
    const { app, re } = await ended({ result: 1 });
    await re.forget();
    await eventually("no record is left", async () => (await app.engine.results.read([re.id]))[0] === undefined);
    expect(await look(re)).toEqual(nothing);
    await re.forget();
  });
});
