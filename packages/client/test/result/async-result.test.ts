import { getEventListeners, getMaxListeners } from "node:events";
import { newId, type Transport } from "@bullrush/broker";
import { describe, expect, onTestFinished, test } from "vitest";
import { AsyncResult, RemoteError, TaskFailedError, TaskRevokedError, TimeoutError, UnknownTaskError } from "../../src/index.js";
import { ResultWaiter } from "../../src/result/waiter.js";
import { eventually, failing, rejected, store, take, testApp, timed } from "../support.js";

/** An app and the handle on a task that it has sent. */
async function sent(options: object = {}) {
  const app = testApp();
  return { app, re: await app.sendTask("tasks.a", [1], options) };
}

/** The handle on a task of this app whose record is stored already. */
async function ended(record: Parameters<typeof store>[2]) {
  const { app, re } = await sent();
  await store(app, re, { task: "tasks.a", ...record });
  return { app, re };
}

const failure = {
  name: "OutOfStock",
  message: "none left",
  code: "E_STOCK",
  stack: "OutOfStock: none left\n    at far away",
  cause: { name: "TypeError", message: "underneath" },
};

describe("get() of a task that succeeded", () => {
  test.each([[{ deep: [1, { text: "ü€😀" }] }], [0], [""], [false], [null], [undefined], [[]]])("gives %j", async (result) => {
    const { re } = await ended({ result });
    expect(await re.get({ timeout: "5s" })).toEqual(result);
    expect(await re.get({ timeout: "5s", propagate: false })).toEqual({ state: "SUCCESS", result });
  });

  test("gives it again, and to other handles", async () => {
    const { app, re } = await ended({ result: 7 });
    expect(await Promise.all([re.get(), re.get(), app.asyncResult(re.id).get(), testApp().asyncResult(re.id).get()])).toEqual([7, 7, 7, 7]);
  });

  test("that ignores its result gives undefined at once, whatever became of it", async () => {
    const { re } = await sent({ ignoreResult: true });
    expect(await re.get()).toBeUndefined();
    expect(await re.get({ propagate: false })).toEqual({ state: "SUCCESS", result: undefined });
  });
});

describe("get() of a task that failed", () => {
  test("throws its failure, with the original as the cause, whose class is not revived", async () => {
    const { re } = await ended({ state: "FAILURE", failure: { ...failure, name: "RangeError" } });
    const error = await rejected(re.get());
    expect(error).toBeInstanceOf(TaskFailedError);
    expect(error).toMatchObject({ name: "TaskFailedError", code: "TASK_FAILED", failure: { name: "RangeError", message: "none left" } });
    expect(String(error)).toBe(`TaskFailedError: tasks.a[${re.id}] failed: RangeError: none left`);
    const { cause } = error as TaskFailedError;
    expect(cause).toBeInstanceOf(RemoteError);
    expect(cause).not.toBeInstanceOf(RangeError);
    expect(cause).toMatchObject({ name: "RangeError", message: "none left", code: "E_STOCK", stack: failure.stack });
    expect((cause as Error).cause).toMatchObject({ name: "TypeError", message: "underneath" });
  });

  test("names the task by its record where the handle does not", async () => {
    const { app, re } = await ended({ state: "FAILURE", failure });
    expect(await rejected(app.asyncResult(re.id).get())).toEqual(failing("TASK_FAILED", { task: "tasks.a" }));
  });

  test("gives the outcome without propagate", async () => {
    const { re } = await ended({ state: "FAILURE", failure });
    expect(await re.get({ propagate: false })).toEqual({ state: "FAILURE", failure });
  });
});

describe("get() of a task that was revoked", () => {
  test("throws, with the reason", async () => {
    const { re } = await ended({ state: "REVOKED", reason: "expired" });
    const error = await rejected(re.get());
    expect(error).toBeInstanceOf(TaskRevokedError);
    expect(error).toEqual(failing("TASK_REVOKED", { task: "tasks.a", id: re.id, reason: "expired" }));
  });

  test("gives the outcome without propagate", async () => {
    const { re } = await ended({ state: "REVOKED", reason: "expired" });
    expect(await re.get({ propagate: false })).toEqual({ state: "REVOKED", reason: "expired" });
  });
});

describe("get() of a task that has not ended", () => {
  test("throws at the timeout, also without propagate, and the task goes on", async () => {
    const { app, re } = await sent();
    const { value: error, took } = await timed(() => rejected(re.get({ timeout: 150 })));
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toEqual(failing("TASK_TIMEOUT", { task: "tasks.a", id: re.id, timeout: 150 }));
    expect(took).toBeGreaterThan(145);
    expect(took).toBeLessThan(1150);
    expect(await rejected(re.get({ timeout: "50ms", propagate: false }))).toBeInstanceOf(TimeoutError);
    const { end } = await take(app);
    await end({ type: "succeeded", result: "7" }, { result: 7 });
    expect(await re.get({ timeout: "5s" })).toBe(7);
  });

  test("throws the signal's reason when it aborts", async () => {
    const { re } = await sent();
    const abort = new AbortController();
    const reason = new Error("the customer left");
    const get = rejected(re.get({ signal: abort.signal }));
    const other = rejected(re.get({ signal: abort.signal, propagate: false, timeout: "1h" }));
    abort.abort(reason);
    expect(await Promise.all([get, other])).toEqual([reason, reason]);
  });

  test("throws at once for a signal that has aborted, and leaves no timer behind", async () => {
    const { re } = await sent();
    const before = process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length;
    const reason = new Error("too late");
    expect(await rejected(re.get({ signal: AbortSignal.abort(reason), timeout: "1h" }))).toBe(reason);
    expect(process.getActiveResourcesInfo().filter((kind) => kind === "Timeout").length).toBeLessThanOrEqual(before);
  });

  const warnings = () => {
    const heard: Error[] = [];
    const listener = (warning: Error) => void heard.push(warning);
    process.on("warning", listener);
    onTestFinished(() => void process.off("warning", listener));
    return heard;
  };

  test("waits on for a signal that never aborts and a timeout longer than timers can be set for", async () => {
    const heard = warnings();
    const { app, re } = await sent();
    const get = re.get({ timeout: "30d", signal: new AbortController().signal });
    const { end } = await take(app);
    await end({ type: "succeeded", result: "7" }, { result: 7 });
    expect(await get).toBe(7);
    expect(heard).toEqual([]);
  });

  test("leaves no listener on a signal that lives on, however it ends", async () => {
    const heard = warnings();
    const { app, re } = await sent();
    const { signal } = new AbortController();
    const most = getMaxListeners(signal);
    const listeners = () => getEventListeners(signal, "abort").length;
    const gets = Array.from({ length: 20 }, () => rejected(re.get({ signal, timeout: "1m" })));
    await rejected(re.get({ signal, timeout: 30 }));
    expect(listeners()).toBe(20);
    const { end } = await take(app);
    await end({ type: "failed", failure }, { state: "FAILURE", failure });
    expect(await Promise.all(gets)).toEqual(gets.map(() => failing("TASK_FAILED")));
    expect(listeners()).toBe(0);
    await rejected(re.get({ signal }));
    await rejected(re.get({ signal, timeout: "soon" as "1s" }));
    expect(listeners()).toBe(0);
    expect(getMaxListeners(signal)).toBe(most);
    expect(heard).toEqual([]);
  });

  test.each([["soon"], [-1], [Number.NaN], [{}]])("refuses a timeout that is none (%j)", async (timeout) => {
    const { re } = await sent();
    expect(await rejected(re.get({ timeout: timeout as number }))).toEqual(failing("INVALID_OPTION", { option: "timeout of get()" }));
  });
});

describe("get() of a task that nobody knows", () => {
  test("throws, for an id that was never sent", async () => {
    const app = testApp();
    const id = newId();
    const error = await rejected(app.asyncResult(id).get({ timeout: "5s" }));
    expect(error).toBeInstanceOf(UnknownTaskError);
    expect(error).toEqual(failing("UNKNOWN_TASK", { id }));
    expect(await rejected(app.asyncResult(id).get({ timeout: "5s", propagate: false }))).toBeInstanceOf(UnknownTaskError);
  });

  test("throws, for one whose result was forgotten", async () => {
    const { app, re } = await sent();
    const { end } = await take(app);
    await end({ type: "succeeded", result: "7" }, { result: 7 });
    await re.forget();
    expect(await rejected(app.asyncResult(re.id).get({ timeout: "5s" }))).toBeInstanceOf(UnknownTaskError);
  });
});

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
    await app.backend.claim([{ id: re.id, delivery: 2, expires: 60_000, worker: "w2" }]);
    expect(await re.status()).toBe("STARTED");
  });

  test("of a task that failed or was revoked", async () => {
    expect(await (await ended({ state: "FAILURE", failure })).re.status()).toBe("FAILURE");
    expect(await (await ended({ state: "REVOKED", reason: "expired" })).re.status()).toBe("REVOKED");
  });

  test("of a task that ends between the look at its record and that at its queue", async () => {
    const { app, re } = await sent();
    const locate: Transport["locate"] = async (ids) => {
      const { end } = await take(app);
      await end({ type: "succeeded", result: "7" }, { result: 7 });
      return app.transport.locate(ids);
    };
    const source = { backend: app.backend, transport: { ...app.transport, locate }, waiter: new ResultWaiter(app.backend, app.transport) };
    const handle = new AsyncResult(() => source, { id: re.id, queues: ["default"], own: true });
    expect(await handle.status()).toBe("SUCCESS");
  });

  test("of an id that nobody knows", async () => {
    expect(await testApp().asyncResult(newId()).status()).toBe("UNKNOWN");
  });

  test("of a task whose queue was purged", async () => {
    const { app, re } = await sent();
    await app.transport.purge("default");
    expect(await re.status()).toBe("UNKNOWN");
  });
});

describe("looks that do not wait", () => {
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

  test("before it has ended", async () => {
    const { app, re } = await sent();
    expect(await look(re)).toEqual(nothing);
    await take(app);
    expect(await look(re)).toEqual(nothing);
    expect(await look(app.asyncResult(newId()))).toEqual(nothing);
  });

  test("while it says how far it is", async () => {
    const { re } = await ended({ state: "PROGRESS", meta: { done: 50 } });
    expect(await look(re)).toEqual({ ...nothing, info: { done: 50 }, worker: "w1", attempts: 1 });
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
    await eventually("no record is left", async () => (await app.backend.read([re.id]))[0] === undefined);
    expect(await look(re)).toEqual(nothing);
    await re.forget();
  });
});
