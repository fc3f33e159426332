import { getEventListeners, getMaxListeners } from "node:events";
import { newId } from "@bullrush/broker";
import { describe, expect, onTestFinished, test } from "vitest";
import { hangTimeout } from "../../../../integration/lib/hang-timeout.js";
import { RemoteError, TaskFailedError, TaskRevokedError, TimeoutError, UnknownTaskError } from "../../src/index.js";
import { failing, rejected, take, testApp, timed } from "../support.js";
import { ended, failure, sent } from "./tasks.js";

describe("get() of a task that succeeded", () => {
  test.each([[{ deep: [1, { text: "ü€😀" }] }], [0], [""], [false], [null], [undefined], [[]]])("%j: returned", async (result) => {
    const { re } = await ended({ result });
    expect(await re.get({ timeout: hangTimeout })).toEqual(result);
    expect(await re.get({ timeout: hangTimeout, propagate: false })).toEqual({ state: "SUCCESS", result });
  });

  test("again, or by another handle: returned again", async () => {
    const { app, re } = await ended({ result: 7 });
    expect(await Promise.all([re.get(), re.get(), app.asyncResult(re.id).get(), testApp().asyncResult(re.id).get()])).toEqual([7, 7, 7, 7]);
  });

  test("ignoreResult: undefined at once, whatever the outcome", async () => {
    const { re } = await sent({ ignoreResult: true });
    expect(await re.get()).toBeUndefined();
    expect(await re.get({ propagate: false })).toEqual({ state: "SUCCESS", result: undefined });
  });
});

describe("get() of a task that failed", () => {
  test("throws its failure with the original as cause, not revived as its class", async () => {
    const { re } = await ended({ state: "FAILURE", failure: { ...failure, name: "RangeError" } });
    const error = await rejected(re.get());
    expect(error).toBeInstanceOf(TaskFailedError);
    expect(error).toMatchObject({ name: "TaskFailedError", code: "TASK_FAILED", failure: { name: "RangeError", message: "none left" } });
    expect(String(error)).toBe(`TaskFailedError: tasks.a[${re.id}] failed: RangeError: none left: underneath`);
    const { cause } = error as TaskFailedError;
    expect(cause).toBeInstanceOf(RemoteError);
    expect(cause).not.toBeInstanceOf(RangeError);
    expect(cause).toMatchObject({ name: "RangeError", message: "none left", code: "E_STOCK", stack: failure.stack });
    expect((cause as Error).cause).toMatchObject({ name: "TypeError", message: "underneath" });
  });

  test("handle without a task's name: the record names the task", async () => {
    const { app, re } = await ended({ state: "FAILURE", failure });
    expect(await rejected(app.asyncResult(re.id).get())).toEqual(failing("TASK_FAILED", { task: "tasks.a" }));
  });

  test("propagate false: returns the outcome", async () => {
    const { re } = await ended({ state: "FAILURE", failure });
    expect(await re.get({ propagate: false })).toEqual({ state: "FAILURE", failure });
  });
});

describe("get() of a revoked task", () => {
  test("throws, with the reason", async () => {
    const { re } = await ended({ state: "REVOKED", reason: "expired" });
    const error = await rejected(re.get());
    expect(error).toBeInstanceOf(TaskRevokedError);
    expect(error).toEqual(failing("TASK_REVOKED", { task: "tasks.a", id: re.id, reason: "expired" }));
  });

  test("propagate false: returns the outcome", async () => {
    const { re } = await ended({ state: "REVOKED", reason: "expired" });
    expect(await re.get({ propagate: false })).toEqual({ state: "REVOKED", reason: "expired" });
  });
});

describe("get() of a task that has not ended", () => {
  test("timeout: throws, also without propagate, and the task continues", async () => {
    const { app, re } = await sent();
    const { value: error, took } = await timed(() => rejected(re.get({ timeout: 150 })));
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toEqual(failing("TASK_TIMEOUT", { task: "tasks.a", id: re.id, timeout: 150 }));
    expect(took).toBeGreaterThan(145);
    expect(await rejected(re.get({ timeout: "50ms", propagate: false }))).toBeInstanceOf(TimeoutError);
    const { end } = await take(app);
    await end({ type: "succeeded", result: "7" }, { result: 7 });
    expect(await re.get({ timeout: hangTimeout })).toBe(7);
  });

  test("signal that aborts: throws its reason", async () => {
    const { re } = await sent();
    const abort = new AbortController();
    const reason = new Error("the customer left");
    const get = rejected(re.get({ signal: abort.signal }));
    const other = rejected(re.get({ signal: abort.signal, propagate: false, timeout: "1h" }));
    abort.abort(reason);
    expect(await Promise.all([get, other])).toEqual([reason, reason]);
  });

  test("signal that has aborted: throws at once, and leaves no timer", async () => {
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

  test("signal that never aborts, and a timeout longer than timers allow: waits", async () => {
    const heard = warnings();
    const { app, re } = await sent();
    const get = re.get({ timeout: "30d", signal: new AbortController().signal });
    const { end } = await take(app);
    await end({ type: "succeeded", result: "7" }, { result: 7 });
    expect(await get).toBe(7);
    expect(heard).toEqual([]);
  });

  test("long-lived signal: no listener stays, however the wait ends", async () => {
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

  test.each([["soon"], [-1], [Number.NaN], [{}]])("invalid timeout (%j): refused", async (timeout) => {
    const { re } = await sent();
    expect(await rejected(re.get({ timeout: timeout as number }))).toEqual(failing("INVALID_OPTION", { option: '"timeout" of get()' }));
  });

  test.each([
    ['"timeOut" of get()', { timeOut: 300 }],
    ['"propagate" of get()', { propagate: "no" }],
    ['"signal" of get()', { signal: "now" }],
    ["what was given for the options of get()", 5000],
    ["what was given for the options of get()", null],
  ])("invalid options: refused: %s", async (option, options) => {
    const { re } = await sent();
    expect(await rejected(re.get(options as object))).toMatchObject({ code: "INVALID_OPTION", details: { option } });
  });
});

describe("get() of an unknown id", () => {
  test("never sent: throws", async () => {
    const app = testApp();
    const id = newId();
    const error = await rejected(app.asyncResult(id).get({ timeout: hangTimeout }));
    expect(error).toBeInstanceOf(UnknownTaskError);
    expect(error).toEqual(failing("UNKNOWN_TASK", { id }));
    expect(await rejected(app.asyncResult(id).get({ timeout: hangTimeout, propagate: false }))).toBeInstanceOf(UnknownTaskError);
  });

  test("result forgotten: throws", async () => {
    const { app, re } = await sent();
    const { end } = await take(app);
    await end({ type: "succeeded", result: "7" }, { result: 7 });
    await re.forget();
    expect(await rejected(app.asyncResult(re.id).get({ timeout: hangTimeout }))).toBeInstanceOf(UnknownTaskError);
  });
});
