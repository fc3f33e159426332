import { describe, expectTypeOf, test } from "vitest";
import { BullrushError, createApp, type AppOptions, type AsyncResult, type CallOptions, type TaskOptions } from "../../src/index.js";

const app = createApp();
const add = app.task("add", (x: number, y: number) => x + y);

describe("options that fit", () => {
  test("of a call", () => {
    expectTypeOf(add.applyAsync).parameter(1).toEqualTypeOf<CallOptions | undefined>();
    expectTypeOf({
      countdown: "10s",
      expires: "1m",
      priority: 3,
      headers: { tenant: "a", list: [1, null] },
    } as const).toExtend<CallOptions>();
    expectTypeOf({
      eta: new Date(),
      expires: new Date(),
      taskId: "id",
      queue: "q",
      exchange: "e",
      routingKey: "k",
    }).toExtend<CallOptions>();
    expectTypeOf({ countdown: 500, ignoreResult: true }).toExtend<CallOptions>();
  });

  test("of a task", () => {
    expectTypeOf({ queue: "q", priority: 9, ignoreResult: true, expires: 1000, resultExpires: "1h" } as const).toExtend<TaskOptions>();
  });

  test("of retries", () => {
    class Busy extends Error {
      readonly until = new Date();
    }
    const errors = [Busy, BullrushError, (error: unknown) => error === 1];
    expectTypeOf({ autoRetryFor: errors, expectedErrors: Busy }).toExtend<TaskOptions>();
    expectTypeOf({
      maxRetries: null,
      retryDelay: "1m",
      retryBackoff: true,
      retryBackoffMax: "1h",
      retryJitter: false,
    } as const).toExtend<TaskOptions>();
    expectTypeOf({ retryBackoff: "2s", maxRetries: Infinity, autoRetryFor: () => true } as const).toExtend<TaskOptions>();
    expectTypeOf({ maxRetries: 5 }).toExtend<CallOptions>();
  });

  test("of an app", () => {
    expectTypeOf(createApp).parameter(0).toEqualTypeOf<AppOptions | undefined>();
    expectTypeOf<{ broker: string; backend: { host: string; port: number; password: string } }>().toExtend<AppOptions>();
    expectTypeOf({
      queues: ["a", { name: "b", exchange: { name: "x", type: "topic" }, routingKey: "k.#" }],
    } as const).toExtend<AppOptions>();
    expectTypeOf({ routes: (task: string) => (task === "a" ? "q" : undefined) }).toExtend<AppOptions>();
    expectTypeOf({ routes: { "a.*": { queue: "q" }, b: "q" } }).toExtend<AppOptions>();
    expectTypeOf({ resultExpires: "1d", publishTimeout: 5000, maxPayload: 1024, prefix: "p" } as const).toExtend<AppOptions>();
  });
});

describe("options that do not fit do not compile", () => {
  test("of a call", () => {
    // @ts-expect-error no duration
    expectTypeOf(() => add.applyAsync([1, 2], { countdown: "soon" })).toBeFunction();
    // @ts-expect-error a Date, not a text
    expectTypeOf(() => add.applyAsync([1, 2], { eta: "2030-01-01" })).toBeFunction();
    // @ts-expect-error a number
    expectTypeOf(() => add.applyAsync([1, 2], { priority: "high" })).toBeFunction();
    // @ts-expect-error misspelt
    expectTypeOf(() => add.applyAsync([1, 2], { prioritty: 1 })).toBeFunction();
    // @ts-expect-error an option of the declaration
    expectTypeOf(() => add.applyAsync([1, 2], { resultExpires: "1h" })).toBeFunction();
    // @ts-expect-error a text
    expectTypeOf(() => add.applyAsync([1, 2], { taskId: 42 })).toBeFunction();
    // @ts-expect-error not what JSON can carry
    expectTypeOf(() => add.applyAsync([1, 2], { headers: { at: new Date() } })).toBeFunction();
    // @ts-expect-error not an object with names
    expectTypeOf(() => add.applyAsync([1, 2], { headers: new Map([["a", 1]]) })).toBeFunction();
    // @ts-expect-error leave it out instead
    expectTypeOf(() => add.applyAsync([1, 2], { queue: undefined })).toBeFunction();
  });

  test("of a task", () => {
    // @ts-expect-error an option of a call
    expectTypeOf(() => app.task("t", { countdown: "1s" }, () => 1)).toBeFunction();
    // @ts-expect-error no duration
    expectTypeOf(() => app.task("t", { resultExpires: "long" }, () => 1)).toBeFunction();
    // @ts-expect-error true or false
    expectTypeOf(() => app.task("t", { ignoreResult: "yes" }, () => 1)).toBeFunction();
    // @ts-expect-error no class of errors
    expectTypeOf(() => app.task("t", { autoRetryFor: [Date] }, () => 1)).toBeFunction();
    // @ts-expect-error its answer comes too late
    expectTypeOf(() => app.task("t", { autoRetryFor: async () => true }, () => 1)).toBeFunction();
    // @ts-expect-error an option of the declaration
    expectTypeOf(() => add.applyAsync([1, 2], { autoRetryFor: Error })).toBeFunction();
    // @ts-expect-error an option of a call, on a stub
    expectTypeOf(() => app.stub<typeof add>("add", { eta: new Date() })).toBeFunction();
  });

  test("of an app", () => {
    // @ts-expect-error misspelt
    expectTypeOf(() => createApp({ borker: "redis://127.0.0.1" })).toBeFunction();
    // @ts-expect-error a text or options
    expectTypeOf(() => createApp({ broker: 6379 })).toBeFunction();
    // @ts-expect-error a list
    expectTypeOf(() => createApp({ queues: "default" })).toBeFunction();
    // @ts-expect-error no such type of exchange
    expectTypeOf(() => createApp({ queues: [{ name: "q", exchange: { name: "e", type: "headers" } }] })).toBeFunction();
    // @ts-expect-error a route is a queue's name or a destination
    expectTypeOf(() => createApp({ routes: { "a.*": 1 } })).toBeFunction();
    // @ts-expect-error no duration
    expectTypeOf(() => createApp({ publishTimeout: "5 parsecs" })).toBeFunction();
    // @ts-expect-error true or false
    expectTypeOf(() => createApp({ createMissingQueues: 1 })).toBeFunction();
  });
});

test("a call by name: has the result type of its type argument", () => {
  expectTypeOf(app.sendTask("add", [1, 2])).resolves.toEqualTypeOf<AsyncResult>();
  expectTypeOf(app.sendTask<number>("add", [1, 2], { queue: "q" })).resolves.toEqualTypeOf<AsyncResult<number>>();
  expectTypeOf(app.asyncResult("id")).toEqualTypeOf<AsyncResult>();
  expectTypeOf(app.asyncResult<number>("id")).toEqualTypeOf<AsyncResult<number>>();
  // @ts-expect-error arguments are a list
  expectTypeOf(() => app.sendTask("add", 1)).toBeFunction();
});
