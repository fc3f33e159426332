import { copyId, newId } from "@bullrush/broker";
import { describe, expect, inject, test } from "vitest";
import { PublishError, type App, type Signature } from "../../src/index.js";
import { redis } from "../redis.js";
import { deadUrl, failing, rejected, take, testApp } from "../support.js";

const secret = "canary-77e1";

async function waitingIn(app: App, ...queues: readonly string[]): Promise<readonly number[]> {
  return (await app.engine.queues.counts(queues)).map(({ waiting, delayed }) => waiting + delayed);
}

describe("publishAll()", () => {
  test("several calls: arrive in order, each as its task would send it, with handles in that order", async () => {
    const app = testApp({ routes: { "mail.*": "mail" } });
    const add = app.task("tasks.add", { ignoreResult: true }, (x: number, y: number) => x + y);
    const greet = app.stub<typeof add>("mail.greet");
    const [sum, greeting, later] = await app.publishAll([add.s(1, 2), greet.s(3, 4), add.s(5, 6).set({ headers: { n: 1 } })]);
    expect((await take(app)).message).toMatchObject({ id: sum.id, task: "tasks.add", args: [1, 2], ignoreResult: true });
    expect((await take(app)).message).toMatchObject({ id: later.id, args: [5, 6], headers: { n: 1 } });
    expect((await take(app, "mail")).message).toMatchObject({ id: greeting.id, task: "mail.greet", args: [3, 4] });
    expect(await sum.get()).toBeUndefined();
  });

  test("any number of calls: all arrive", async () => {
    const app = testApp();
    const add = app.task("tasks.add", (x: number) => x);
    const results = await app.publishAll(Array.from({ length: 1234 }, (_, index) => add.s(index)));
    expect(new Set(results.map(({ id }) => id)).size).toBe(1234);
    expect(await waitingIn(app, "default")).toEqual([1234]);
    for (let index = 0; index < 3; index++) expect((await take(app)).message).toMatchObject({ id: results[index]?.id, args: [index] });
    expect(await app.publishAll([])).toEqual([]);
  });

  test("calls to several queues, with priorities and delays: arrive", async () => {
    const app = testApp({ queues: ["left", "right"].map((name) => ({ name, exchange: { name: "all", type: "fanout" } })) });
    const task = app.stub("tasks.a");
    const [all, urgent] = await app.publishAll([
      task.s().set({ exchange: "all" }),
      task.s().set({ queue: "q", priority: 3 }),
      task.s().set({ queue: "q", countdown: "1h" }),
    ]);
    expect((await take(app, "left")).message.id).toBe(all.id);
    expect((await take(app, "right")).message.id).toBe(copyId(all.id, "right"));
    expect((await take(app, "q")).message.id).toBe(urgent.id);
    expect(await app.engine.queues.counts(["q"])).toMatchObject([{ waiting: 0, delayed: 1 }]);
  });
});

describe("publishAll() sends nothing", () => {
  const app = () => testApp({ queues: ["default", "a"], createMissingQueues: false, maxPayload: 1000 });

  test.each<[what: string, bad: (task: (...args: unknown[]) => Signature) => unknown, error: unknown]>([
    ["that cannot be encoded", (task) => task(1n), failing("ENCODE_ERROR")],
    ["that is too large", (task) => task("x".repeat(1000)), failing("PAYLOAD_TOO_LARGE")],
    ["that goes nowhere", (task) => task().set({ exchange: "none" }), failing("UNROUTABLE")],
    ["to a queue that is not declared", (task) => task().set({ queue: "b" }), failing("QUEUE_NOT_DECLARED")],
    ["with a bad option", (task) => task().set({ prio: 1 } as object), failing("INVALID_OPTION", { got: "unknown" })],
    ["with a bad id", (task) => task().set({ taskId: "42" }), failing("INVALID_TASK_ID")],
    ["that is none", () => secret, failing("INVALID_OPTION", { option: "call 2 of publishAll()", got: "a string" })],
    ["that is nothing", () => null, failing("INVALID_OPTION", { got: "null" })],
  ])("beside one %s", async (_, bad, error) => {
    const { publishAll, task } = prepare(app());
    const thrown = await rejected(publishAll([task(1), bad(task) as Signature, task(3)]));
    expect(thrown).toEqual(error);
    expect(String(thrown)).not.toContain(secret);
  });

  test("when the argument is no list", async () => {
    const { publishAll, task } = prepare(app());
    expect(await rejected(publishAll(task(1) as never))).toEqual(failing("INVALID_OPTION", { got: "an object", expected: "an array" }));
  });

  function prepare(app: App) {
    const stub = app.stub("tasks.a");
    const publishAll = async (calls: readonly Signature[]) => {
      try {
        return await app.publishAll(calls);
      } finally {
        expect(await waitingIn(app, "default", "a", "b")).toEqual([0, 0, 0]);
      }
    };
    return { publishAll, task: (...args: unknown[]) => stub.s(...args) };
  }
});

describe("calls that are not confirmed", () => {
  test("some not confirmed: the error names them, and has the handles of the others", async () => {
    const app = testApp({ queues: ["default", "broken"] });
    const url = inject("redisUrl");
    await redis(url, "SET", `${app.options.prefix}:broken:wait`, "not a list");
    const task = app.stub("tasks.a");
    const ids = [newId(), newId(), newId()];
    const calls = ids.map((taskId, index) => task.s(secret).set({ taskId, queue: index === 1 ? "broken" : "default" }));
    const error = await rejected(app.publishAll(calls));
    expect(error).toBeInstanceOf(PublishError);
    expect(error).toEqual(failing("NOT_ALL_SENT", { failed: 1, calls: 3 }));
    expect(error).toMatchObject({
      results: [{ id: ids[0] }, { code: "BROKER_UNAVAILABLE" }, { id: ids[2] }],
      cause: { code: "BROKER_UNAVAILABLE", message: expect.stringContaining(`${ids[1]} was not accepted`) as string },
    });
    expect(String(error)).not.toContain(secret);
    expect((await take(app)).message.id).toBe(ids[0]);
    expect(await waitingIn(app, "default")).toEqual([1]);
    await redis(url, "DEL", `${app.options.prefix}:broken:wait`);
    await app.publishAll(calls);
    expect(await waitingIn(app, "default", "broken")).toEqual([1, 1]);
  });

  test("copy that is not confirmed: its call counts as not confirmed", async () => {
    const app = testApp({ queues: ["left", "broken"].map((name) => ({ name, exchange: { name: "all", type: "fanout" } })) });
    await redis(inject("redisUrl"), "SET", `${app.options.prefix}:broken:wait`, "not a list");
    const task = app.stub("tasks.a");
    const error = await rejected(app.publishAll([task.s().set({ exchange: "all" }), task.s().set({ queue: "left" })]));
    expect(error).toEqual(failing("NOT_ALL_SENT", { failed: 1, calls: 2 }));
    expect(await waitingIn(app, "left")).toEqual([2]);
    await redis(inject("redisUrl"), "DEL", `${app.options.prefix}:broken:wait`);
  });

  test("broker away: each call has its own error", async () => {
    const app = testApp({ broker: deadUrl, backend: inject("redisUrl"), publishTimeout: 300 });
    const task = app.stub("tasks.a");
    const ids = [newId(), newId()];
    const error = (await rejected(app.publishAll(ids.map((taskId) => task.s().set({ taskId }))))) as PublishError;
    expect(error).toEqual(failing("NOT_ALL_SENT", { failed: 2, calls: 2 }));
    const refusals = ids.map((id) => ({
      code: "BROKER_UNAVAILABLE",
      message: expect.stringContaining(`task ${id} was not confirmed`) as string,
    }));
    expect(error.results).toMatchObject(refusals);
  });

  test("closed app: nothing is sent", async () => {
    const app = testApp();
    const task = app.stub("tasks.a");
    await app.close();
    expect(await rejected(app.publishAll([task.s()]))).toEqual(failing("APP_CLOSED"));
  });
});
