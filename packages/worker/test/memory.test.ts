import { memoryEngine, MovableClock } from "@bullrush/broker";
import { chain, chord, createApp, group, type App } from "@bullrush/client";
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { createWorker } from "../src/index.js";

const silent = pino({ level: "silent" });

function memoryApp(options: Parameters<typeof createApp>[0] = { broker: "memory://" }): App {
  const app = createApp(options);
  onTestFinished(() => app.close());
  return app;
}

async function work(app: App, options: Parameters<typeof createWorker>[1] = {}): Promise<void> {
  const worker = createWorker(app, { log: silent, ...options });
  onTestFinished(async () => void (await worker.stop(AbortSignal.abort())));
  await worker.start();
}

test("a call in memory: its result comes from a worker of the same process", async () => {
  const app = memoryApp({ broker: "memory://", routes: { "tasks.taskA": "for_task_A" } });
  const taskA = app.task("tasks.taskA", (x: number, y: number) => x + y);
  await work(app, { queues: ["for_task_A"] });
  const result = await taskA.delay(100, 200);
  expect(await result.get({ timeout: "10s" })).toBe(300);
});

test("apps that name the same memory: one sends what the other runs, and other names are apart", async () => {
  const name = `memory://${crypto.randomUUID()}`;
  const [sender, runner, other] = [memoryApp({ broker: name }), memoryApp({ broker: name }), memoryApp({ broker: `${name}-2` })];
  runner.task("tasks.add", (x: number, y: number) => x + y);
  await work(runner);
  const result = await sender.sendTask<number>("tasks.add", [1, 2]);
  expect(await result.get({ timeout: "10s" })).toBe(3);
  expect(await other.asyncResult(result.id).status()).toBe("UNKNOWN");
});

test("a chord of 1,000 in memory: its body gets all values in their order", async () => {
  const app = memoryApp();
  const double = app.task("tasks.double", (x: number) => 2 * x);
  const list = app.task("tasks.list", (values: number[]) => values);
  await work(app);
  const numbers = Array.from({ length: 1000 }, (_, number) => number);
  const result = await chord(
    numbers.map((number) => double.s(number)),
    list.s(),
  ).delay();
  expect(await result.get({ timeout: "60s" })).toEqual(numbers.map((number) => 2 * number));
});

test("a chain that goes into a group in memory: each member gets the value before", async () => {
  const app = memoryApp();
  const add = app.task("tasks.add", (x: number, y: number) => x + y);
  await work(app);
  const result = await chain(add.s(1, 2), group([add.s(10), add.s(20)])).delay();
  expect(await result.get({ timeout: "10s" })).toEqual([13, 23]);
});

test("a task that fails twice in memory: the third attempt ends it", async () => {
  const app = memoryApp();
  let runs = 0;
  const flaky = app.task("tasks.flaky", { autoRetryFor: Error, retryDelay: 1 }, () => {
    runs++;
    if (runs < 3) throw new Error("not yet");
    return runs;
  });
  await work(app);
  expect(await (await flaky.delay()).get({ timeout: "10s" })).toBe(3);
});

test("a retry and a countdown of an hour: both are due when the clock of the engine is moved", async () => {
  const clock = new MovableClock();
  const app = memoryApp({ engine: memoryEngine({ clock }) });
  let runs = 0;
  const flaky = app.task("tasks.flaky", { autoRetryFor: Error, retryDelay: "1h" }, () => {
    runs++;
    if (runs < 2) throw new Error("not yet");
    return runs;
  });
  const later = app.task("tasks.later", () => "later");
  await work(app);
  const results = [await flaky.delay(), await later.applyAsync([], { countdown: "1h" })];
  await expect.poll(() => app.engine.queues.counts(["default"])).toMatchObject([{ delayed: 2, active: 0 }]);
  clock.advance("1h");
  expect(await Promise.all(results.map((result) => result.get({ timeout: "10s" })))).toEqual([2, "later"]);
});

test("a soft time limit of an hour: the signal aborts when the clock of the engine is moved by that", async () => {
  const clock = new MovableClock();
  const app = memoryApp({ engine: memoryEngine({ clock }) });
  let start = () => {};
  const started = new Promise<void>((resolve) => (start = resolve));
  const wait = app.task("tasks.wait", { softTimeLimit: "1h" }, function () {
    start();
    return new Promise<string>((resolve) => this.signal.addEventListener("abort", () => resolve("aborted")));
  });
  await work(app, { lease: "24d" });
  const result = await wait.delay();
  await started;
  clock.advance("1h");
  expect(await result.get({ timeout: "10s" })).toBe("aborted");
});

test("a call that expires in an hour: it is revoked when the clock of the engine has passed that", async () => {
  const clock = new MovableClock();
  const app = memoryApp({ engine: memoryEngine({ clock }) });
  let runs = 0;
  const count = app.task("tasks.count", () => ++runs);
  const result = await count.applyAsync([], { expires: "1h" });
  clock.advance("1h");
  await work(app);
  await expect(result.get({ timeout: "10s" })).rejects.toMatchObject({ code: "TASK_REVOKED" });
  expect(runs).toBe(0);
});

test("a task that is revoked while it runs in memory: its signal aborts, and its state is REVOKED", async () => {
  const app = memoryApp();
  let start = () => {};
  const started = new Promise<void>((resolve) => (start = resolve));
  const wait = app.task("tasks.wait", function () {
    start();
    return new Promise<string>((resolve) => this.signal.addEventListener("abort", () => resolve("aborted")));
  });
  await work(app);
  const result = await wait.delay();
  await started;
  expect(await result.revoke()).toBe(true);
  await expect(result.get({ timeout: "10s" })).rejects.toMatchObject({ code: "TASK_REVOKED" });
});

test("a task that is revoked before a worker takes it in memory: the function is not called", async () => {
  const app = memoryApp();
  let runs = 0;
  const count = app.task("tasks.count", () => ++runs);
  const [revoked, other] = [await count.delay(), await count.delay()];
  expect(await revoked.revoke()).toBe(true);
  await work(app);
  expect(await other.get({ timeout: "10s" })).toBe(1);
  expect(await revoked.status()).toBe("REVOKED");
});

test("arguments that JSON cannot carry, and those that are too long: they are refused in memory as on Redis", async () => {
  const app = memoryApp({ broker: "memory://", maxPayload: 100 });
  await expect(app.sendTask("tasks.any", [1n])).rejects.toMatchObject({ code: "ENCODE_ERROR" });
  await expect(app.sendTask("tasks.any", ["x".repeat(200)])).rejects.toMatchObject({ code: "PAYLOAD_TOO_LARGE" });
});

test("what a task changes of its arguments in memory: the sender does not see it", async () => {
  const app = memoryApp();
  const grow = app.task("tasks.grow", (list: number[]) => list.push(1));
  await work(app);
  const given: number[] = [];
  expect(await (await grow.delay(given)).get({ timeout: "10s" })).toBe(1);
  expect(given).toEqual([]);
});

test.each(["threads", "processes"] as const)("a worker in memory with the pool %s: INVALID_OPTION", (pool) => {
  const module = import.meta.url;
  for (const app of [memoryApp(), memoryApp({ engine: memoryEngine() })]) {
    expect(() => createWorker(app, { pool, module })).toThrow(expect.objectContaining({ code: "INVALID_OPTION" }));
  }
});
