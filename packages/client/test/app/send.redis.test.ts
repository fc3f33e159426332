import { copyId, newId } from "@bullrush/broker";
import { describe, expect, inject, test } from "vitest";
import { hangTimeout } from "../../../../integration/lib/hang-timeout.js";
import type { CallOptions } from "../../src/index.js";
import { failing, rejected, take, testApp, thrownBy } from "../support.js";

const secret = "canary-51c9";

describe("sent call", () => {
  test("no route: in the default queue, unchanged", async () => {
    const app = testApp();
    const add = app.task("tasks.add", (x: number, y?: string) => `${x}${y}`);
    const re = await add.delay(1, "ü€😀");
    const { message } = await take(app);
    expect(message).toMatchObject({ id: re.id, task: "tasks.add", args: [1, "ü€😀"], rootId: re.id, retries: 0, priority: 0 });
    expect(message.replyTo).toBe(app.engine.results.replyChannel);
  });

  test("route: in that queue, and nowhere else", async () => {
    const app = testApp({
      queues: ["default", { name: "for_task_A", exchange: "for_task_A", routingKey: "for_task_A" }, "for_task_B"],
      routes: { "tasks.taskA": { queue: "for_task_A", routingKey: "for_task_A" }, "tasks.taskB": "for_task_B" },
    });
    const a = await app.task("tasks.taskA", (x: number) => x).delay(1);
    const b = await app.stub("tasks.taskB").delay(2);
    const c = await app.sendTask("tasks.taskC", [3]);
    const d = await app.sendTask("tasks.taskC", [4], { exchange: "for_task_A", routingKey: "for_task_A" });
    const counts = await app.engine.queues.counts(["default", "for_task_A", "for_task_B"]);
    expect(counts.map(({ waiting }) => waiting)).toEqual([1, 2, 1]);
    expect((await take(app, "for_task_A")).message).toMatchObject({ id: a.id, args: [1] });
    expect((await take(app, "for_task_A")).message).toMatchObject({ id: d.id, args: [4] });
    expect((await take(app, "for_task_B")).message).toMatchObject({ id: b.id, args: [2] });
    expect((await take(app)).message).toMatchObject({ id: c.id, args: [3] });
  });

  test("undeclared queue: in that queue", async () => {
    const app = testApp();
    const re = await app.sendTask("tasks.a", [], { queue: "elsewhere" });
    expect((await take(app, "elsewhere")).message.id).toBe(re.id);
  });

  test("exchange: in every bound queue, as one call and its copies", async () => {
    const app = testApp({ queues: ["left", "right"].map((name) => ({ name, exchange: { name: "all", type: "fanout" } })) });
    const re = await app.sendTask("tasks.a", ["x"], { exchange: "all" });
    expect((await take(app, "left")).message).toMatchObject({ id: re.id, args: ["x"], headers: {} });
    expect((await take(app, "right")).message).toMatchObject({ id: copyId(re.id, "right"), args: ["x"], headers: { fanoutOf: re.id } });
  });

  test("options: the declaration's, also by name, and the call's win over them", async () => {
    const app = testApp();
    const task = app.task("tasks.a", { queue: "declared", priority: 4, ignoreResult: true }, () => 1);
    await task.delay();
    await app.sendTask("tasks.a");
    await task.applyAsync([], { queue: "called", priority: 2, ignoreResult: false, headers: { tenant: "a" } });
    for (let count = 0; count < 2; count++)
      expect((await take(app, "declared")).message).toMatchObject({ priority: 4, ignoreResult: true });
    expect((await take(app, "called")).message).toMatchObject({ priority: 2, ignoreResult: false, headers: { tenant: "a" } });
  });

  test("priorities: taken by priority, then in order", async () => {
    const app = testApp();
    const sent: string[] = [];
    for (const priority of [9, 0, 5, 0]) sent.push((await app.sendTask("tasks.a", [], { priority })).id);
    const taken: string[] = [];
    for (let count = 0; count < 4; count++) taken.push((await take(app)).message.id);
    expect(taken).toEqual([sent[1], sent[3], sent[2], sent[0]]);
  });

  test("countdown: not taken before its time", async () => {
    const app = testApp();
    await app.sendTask("tasks.a", [], { countdown: "1h" });
    await app.sendTask("tasks.a", [], { eta: new Date(Date.now() + 3_600_000) });
    await app.sendTask("tasks.a", [], { countdown: "100y", expires: "100y" });
    await app.sendTask("tasks.a", [], { eta: new Date("9999-12-31T23:59:59.999Z") });
    const late = await app.sendTask("tasks.a", [], { eta: new Date(0) });
    expect(await app.engine.queues.counts(["default"])).toMatchObject([{ waiting: 1, delayed: 4 }]);
    expect((await take(app)).message.id).toBe(late.id);
  });

  test("sent again under its id: once", async () => {
    const app = testApp();
    const taskId = newId();
    for (let count = 0; count < 3; count++) expect((await app.sendTask("tasks.a", [], { taskId })).id).toBe(taskId);
    expect(await app.engine.queues.counts(["default"])).toMatchObject([{ waiting: 1 }]);
  });

  test("a thousand at once: each once", async () => {
    const app = testApp();
    const add = app.task("tasks.add", (x: number) => x);
    const results = await Promise.all(Array.from({ length: 1000 }, (_, index) => add.delay(index)));
    expect(new Set(results.map(({ id }) => id)).size).toBe(1000);
    expect(await app.engine.queues.counts(["default"])).toMatchObject([{ waiting: 1000 }]);
  });
});

describe("refused call: nothing is enqueued", () => {
  const cyclic: unknown[] = [];
  cyclic.push(cyclic);

  test.each<[what: string, value: unknown, path: string]>([
    ["a BigInt", [1n], "$[1][0]"],
    ["NaN", Number.NaN, "$[1]"],
    ["an infinity", { deep: [Infinity] }, "$[1].deep[0]"],
    ["a function", () => secret, "$[1]"],
    ["a symbol", Symbol(secret), "$[1]"],
    ["a Date", { at: new Date() }, "$[1].at"],
    ["a Map", new Map([[secret, secret]]), "$[1]"],
    ["a cycle", cyclic, "$[1][0]"],
    ["undefined in a list", [undefined], "$[1][0]"],
  ])("%s among its arguments", async (_, value, path) => {
    const app = testApp();
    const task = app.task("tasks.a", (...args: unknown[]) => args);
    const error = await rejected(task.delay(secret, value));
    expect(error).toEqual(failing("ENCODE_ERROR", { what: "the arguments of tasks.a", path }));
    expect(JSON.stringify(error) + String(error)).not.toContain(secret);
    expect(await app.engine.queues.counts(["default"])).toMatchObject([{ waiting: 0 }]);
  });

  test("arguments that are too large, counted in bytes", async () => {
    const app = testApp({ maxPayload: 1000 });
    const task = app.task("tasks.a", (text: string) => text);
    const error = await rejected(task.delay(secret + "€".repeat(400)));
    expect(error).toEqual(failing("PAYLOAD_TOO_LARGE", { what: "the arguments of tasks.a", limit: 1000 }));
    expect(JSON.stringify(error) + String(error)).not.toContain(secret);
    expect(await app.engine.queues.counts(["default"])).toMatchObject([{ waiting: 0 }]);
    await task.delay("x".repeat(400));
  });

  test("arguments over 1 MiB, the default", async () => {
    const app = testApp();
    await expect(app.sendTask("tasks.a", ["x".repeat(1024 * 1024)])).rejects.toEqual(failing("PAYLOAD_TOO_LARGE", { limit: 1_048_576 }));
  });

  test("no queue bound to its exchange and key", async () => {
    const app = testApp();
    const task = app.task("tasks.a", { exchange: "nowhere", routingKey: "k" }, () => 1);
    await expect(task.delay()).rejects.toEqual(failing("UNROUTABLE", { task: "tasks.a", exchange: "nowhere", routingKey: "k" }));
  });

  test("undeclared queue with createMissingQueues false", async () => {
    const app = testApp({ queues: ["a"], createMissingQueues: false });
    const refused = failing("QUEUE_NOT_DECLARED", { queue: "b", declared: ["a"] });
    await expect(app.sendTask("tasks.a", [], { queue: "b" })).rejects.toEqual(refused);
    await expect(app.sendTask("tasks.a")).rejects.toEqual(failing("QUEUE_NOT_DECLARED", { queue: "default" }));
    await app.sendTask("tasks.a", [], { queue: "a" });
    expect(await app.engine.queues.counts(["a", "b", "default"])).toMatchObject([{ waiting: 1 }, { waiting: 0 }, { waiting: 0 }]);
  });

  test.each<[what: string, options: unknown, code: string, details: object]>([
    ["a misspelt option", { prio: 1 }, "INVALID_OPTION", { option: '"prio" in the options of the call of tasks.a', got: "unknown" }],
    ["countdown and eta", { countdown: 1, eta: new Date() }, "INVALID_OPTION", { got: "given beside eta" }],
    ["a countdown that is none", { countdown: "later" }, "INVALID_OPTION", { got: '"later"' }],
    ["a countdown beyond all measure", { countdown: 1e22 }, "INVALID_OPTION", { got: "1e+22" }],
    ["an eta beyond all measure", { eta: new Date(8.64e15) }, "INVALID_OPTION", { got: "+275760-09-13T00:00:00.000Z" }],
    ["an expiry beyond all measure", { expires: 1e16 }, "INVALID_OPTION", { got: "10000000000000000" }],
    [
      "an expiry at a time beyond all measure",
      { expires: new Date(8.64e15) },
      "INVALID_OPTION",
      { expected: "a Date up to the year 9999" },
    ],
    ["a countdown into the past", { countdown: -1 }, "INVALID_OPTION", { got: "-1" }],
    ["a countdown that JSON cannot carry", { countdown: 10n }, "INVALID_OPTION", { got: "a bigint" }],
    ["an eta that is a text", { eta: "2030-01-01" }, "INVALID_OPTION", { got: "a string", expected: "a Date" }],
    ["an eta that is no time", { eta: new Date("x") }, "INVALID_OPTION", { got: "an invalid Date" }],
    ["an expiry that is no time", { expires: new Date("x") }, "INVALID_OPTION", { got: "an invalid Date" }],
    ["a priority that is a text", { priority: "9" }, "INVALID_OPTION", { got: "a string" }],
    ["a negative priority", { priority: -1 }, "INVALID_OPTION", { got: "-1" }],
    ["headers that are a list", { headers: [] }, "INVALID_OPTION", { got: "an array", expected: "an object" }],
    ["headers that are a Map", { headers: new Map() }, "INVALID_OPTION", { got: "a Map", expected: "an object" }],
    ["headers that JSON cannot carry", { headers: { at: new Date() } }, "ENCODE_ERROR", { what: "the headers of tasks.a", path: "$.at" }],
    ["a bad queue name", { queue: "a:b" }, "INVALID_QUEUE_NAME", { queue: "a:b" }],
    ["a bad id", { taskId: "wait" }, "INVALID_TASK_ID", { id: "wait" }],
    ["an empty id", { taskId: "" }, "INVALID_TASK_ID", { id: "" }],
    ["an id that is a number", { taskId: 42 }, "INVALID_TASK_ID", { id: "42" }],
    ["options that are null", null, "INVALID_OPTION", { got: "null", expected: "an object" }],
    ["options that are a list", [1, 2], "INVALID_OPTION", { got: "an array", expected: "an object" }],
  ])("with %s", async (_, options, code, details) => {
    const app = testApp();
    await expect(app.sendTask("tasks.a", [1], options as CallOptions)).rejects.toEqual(failing(code, details));
    expect(await app.engine.queues.counts(["default"])).toMatchObject([{ waiting: 0, delayed: 0 }]);
  });

  test.each<[got: string, args: unknown]>([
    ["a number", 1],
    ["a string", "ab"],
    ["an object", { args: [1] }],
    ["null", null],
  ])("arguments that are %s", async (got, args) => {
    const app = testApp();
    const option = "what was given for the arguments of tasks.a";
    await expect(app.sendTask("tasks.a", args as [])).rejects.toEqual(failing("INVALID_OPTION", { option, got }));
  });

  test("route function that throws or returns nonsense", async () => {
    const error = new Error("no route today");
    const app = testApp({
      routes: (task) => {
        if (task === "tasks.a") throw error;
        return "a:b";
      },
    });
    expect(await rejected(app.sendTask("tasks.a"))).toBe(error);
    await expect(app.sendTask("tasks.b")).rejects.toEqual(failing("INVALID_OPTION"));
  });
});

describe("connections", () => {
  test("every use: the same connections, which cannot be moved afterwards", async () => {
    const app = testApp();
    app.override({ broker: inject("redisUrl") });
    const { engine } = app;
    await app.sendTask("tasks.a");
    expect(app.engine).toBe(engine);
    expect(thrownBy(() => app.override({ broker: "redis://127.0.0.1:1" }))).toEqual(failing("INVALID_OPTION", { option: "override()" }));
  });

  test("broker and backend at two places: two connections", async () => {
    const backend = new URL(inject("redisUrl"));
    backend.pathname = "/1";
    const app = testApp({ backend: backend.href });
    const re = await app.sendTask("tasks.a", [1]);
    const get = re.get({ timeout: hangTimeout });
    const { end } = await take(app);
    await end({ type: "succeeded", result: "7" }, { result: 7 });
    expect(await get).toBe(7);
    const elsewhere = testApp();
    expect(await elsewhere.asyncResult(re.id).ready()).toBe(false);
  });
});
