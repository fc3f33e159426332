import { AsyncLocalStorage } from "node:async_hooks";
import { createBeat } from "@bullrush/beat";
import { chain, chord, createApp, crontab, every, type App } from "@bullrush/client";
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { sent, testWorker, type TestWorker, type TestWorkerOptions } from "../src/index.js";

const hour = 3_600_000;

function workerOn(app: App, options?: TestWorkerOptions): TestWorker {
  const worker = testWorker(app, options);
  onTestFinished(() => worker.stop());
  return worker;
}

function newApp(options: Parameters<typeof createApp>[0] = {}): App {
  return createApp({ broker: "redis://127.0.0.1:1/0", ...options });
}

test("a call, and no drain(): the task does not run", async () => {
  const app = newApp();
  let runs = 0;
  const count = app.task("tasks.count", () => ++runs);
  const worker = workerOn(app);
  const result = await count.delay();
  expect(await result.status()).toBe("PENDING");
  await worker.drain();
  expect(await result.get()).toBe(1);
});

test("drain: what runs sends more, and that runs too", async () => {
  const app = newApp();
  const leaf = app.task("tasks.leaf", (x: number) => x + 1);
  const root = app.task("tasks.root", async (x: number) => (await leaf.delay(x)).get());
  const worker = workerOn(app);
  const result = await root.delay(1);
  await worker.drain();
  expect(await result.get()).toBe(2);
});

test("drain of nothing: it resolves, and can be called again, and twice at once", async () => {
  const app = newApp();
  const add = app.task("tasks.add", (x: number, y: number) => x + y);
  const worker = workerOn(app);
  await worker.drain();
  const result = await add.delay(1, 2);
  await Promise.all([worker.drain(), worker.drain()]);
  expect(await result.get()).toBe(3);
});

test("a countdown of an hour: it runs once the clock has been moved by an hour, and not before", async () => {
  const app = newApp();
  const later = app.task("tasks.later", () => "ran");
  const worker = workerOn(app);
  const result = await later.applyAsync([], { countdown: "1h" });
  worker.clock.advance("59m");
  await worker.drain();
  expect(await result.status()).toBe("PENDING");
  worker.clock.advance("1m");
  await worker.drain();
  expect(await result.get()).toBe("ran");
});

test("a task that retries each hour: each attempt runs at its own time", async () => {
  const app = newApp();
  const worker = workerOn(app, { now: new Date("2030-01-01T00:00:00Z") });
  const times: string[] = [];
  const flaky = app.task("tasks.flaky", { autoRetryFor: Error, retryDelay: "1h", maxRetries: 10 }, function () {
    times.push(new Date(worker.clock.now()).toISOString());
    if (this.attempt < 3) throw new Error("not yet");
    return this.attempt;
  });
  const result = await flaky.delay();
  await worker.drain();
  expect(await result.status()).toBe("RETRY");
  await worker.advance("5h");
  expect(await result.get()).toBe(3);
  expect(times).toEqual(["2030-01-01T00:00:00.000Z", "2030-01-01T01:00:00.000Z", "2030-01-01T02:00:00.000Z"]);
  expect(new Date(worker.clock.now()).toISOString()).toBe("2030-01-01T05:00:00.000Z");
});

test("advance: what comes due runs in the order of its times, also what is only sent meanwhile", async () => {
  const app = newApp();
  const order: string[] = [];
  const note = app.task("tasks.note", async (text: string, after?: string) => {
    order.push(text);
    if (after !== undefined) await note.applyAsync([after], { countdown: "30m" });
  });
  const worker = workerOn(app);
  await note.applyAsync(["at 2h"], { countdown: "2h" });
  await note.applyAsync(["at 1h", "at 1h30"], { countdown: "1h" });
  await note.applyAsync(["at 3h"], { countdown: "3h" });
  await worker.advance("2h");
  expect(order).toEqual(["at 1h", "at 1h30", "at 2h"]);
});

test("a call that expires before it is taken: it is revoked", async () => {
  const app = newApp();
  let runs = 0;
  const late = app.task("tasks.late", () => ++runs);
  const worker = workerOn(app);
  const result = await late.applyAsync([], { expires: "10m" });
  worker.clock.advance("10m");
  await worker.drain();
  expect(await result.status()).toBe("REVOKED");
  expect(runs).toBe(0);
});

test("a soft time limit of 30 s: the signal aborts when the clock is moved by that", async () => {
  const app = newApp();
  let start = () => {};
  const started = new Promise<void>((resolve) => (start = resolve));
  const wait = app.task("tasks.wait", { softTimeLimit: "30s" }, function () {
    start();
    return new Promise<string>((resolve) => this.signal.addEventListener("abort", () => resolve("aborted")));
  });
  const worker = workerOn(app);
  const result = await wait.delay();
  const drained = worker.drain();
  await started;
  worker.clock.advance("30s");
  await drained;
  expect(await result.get()).toBe("aborted");
});

test("a hard time limit, and a task that has ended before it: the clock that passes it changes nothing", async () => {
  const app = newApp();
  const fast = app.task("tasks.fast", { timeLimit: "1m" }, () => "in time");
  const worker = workerOn(app);
  const result = await fast.delay();
  await worker.drain();
  await worker.advance("1h");
  expect(await result.get()).toBe("in time");
});

test("a result that is kept for a day: it is gone when the clock has passed that", async () => {
  const app = newApp();
  const add = app.task("tasks.add", (x: number, y: number) => x + y);
  const worker = workerOn(app);
  const result = await add.delay(1, 2);
  await worker.advance("23h");
  expect(await result.status()).toBe("SUCCESS");
  await worker.advance("2h");
  expect(await app.asyncResult(result.id).status()).toBe("UNKNOWN");
});

test("revoke before drain(): the function is not called", async () => {
  const app = newApp();
  let runs = 0;
  const count = app.task("tasks.count", () => ++runs);
  const worker = workerOn(app);
  const [revoked, other] = [await count.delay(), await count.delay()];
  expect(await revoked.revoke()).toBe(true);
  await worker.drain();
  expect(await other.get()).toBe(1);
  expect(await revoked.status()).toBe("REVOKED");
});

test("revoke while it runs: its signal aborts", async () => {
  const app = newApp();
  let start = () => {};
  const started = new Promise<void>((resolve) => (start = resolve));
  const wait = app.task("tasks.wait", function () {
    start();
    return new Promise<string>((resolve) => this.signal.addEventListener("abort", () => resolve("aborted")));
  });
  const worker = workerOn(app);
  const result = await wait.delay();
  const drained = worker.drain();
  await started;
  await result.revoke();
  await drained;
  await expect(result.get()).rejects.toMatchObject({ code: "TASK_REVOKED" });
});

test("a worker of one queue: what lies in another stays there", async () => {
  const app = newApp({ routes: { "tasks.a": "for_a", "tasks.b": "for_b" } });
  const a = app.task("tasks.a", () => "a");
  const b = app.task("tasks.b", () => "b");
  const worker = workerOn(app, { queues: ["for_a"] });
  const results = [await a.delay(), await b.delay()] as const;
  await worker.drain();
  expect(await results[0].get()).toBe("a");
  expect(await results[1].status()).toBe("PENDING");
});

test("README's example and a chord of 1,000: they run in this process", async () => {
  const app = newApp({
    queues: ["default", { name: "for_task_A", exchange: "for_task_A", routingKey: "for_task_A" }],
    routes: { "tasks.taskA": { queue: "for_task_A", routingKey: "for_task_A" } },
  });
  const taskA = app.task("tasks.taskA", (x: number, y: number) => x + y);
  const double = app.task("tasks.double", (x: number) => 2 * x);
  const list = app.task("tasks.list", (values: number[]) => values);
  const worker = workerOn(app);
  const numbers = Array.from({ length: 1000 }, (_, number) => number);
  const results = [
    await taskA.delay(100, 200),
    await chord(
      numbers.map((number) => double.s(number)),
      list.s(),
    ).delay(),
    await chain(taskA.s(1, 2), taskA.s(3)).delay(),
  ] as const;
  await worker.drain();
  expect(await results[0].get()).toBe(300);
  expect(await results[1].get()).toEqual(numbers.map((number) => 2 * number));
  expect(await results[2].get()).toBe(6);
});

test("a beat on the clock of the test: each tick is sent and run at its own time", async () => {
  const app = newApp({
    beat: {
      often: { task: "tasks.tick", schedule: every("20m"), args: ["often"] },
      nightly: { task: "tasks.tick", schedule: crontab("0 3 * * *"), args: ["nightly"] },
    },
  });
  const worker = workerOn(app, { now: new Date("2030-01-01T02:30:00Z") });
  const ticks: string[] = [];
  app.task("tasks.tick", (name: string) => void ticks.push(`${name} ${new Date(worker.clock.now()).toISOString().slice(11, 16)}`));
  const beat = createBeat(app, { log: pino({ level: "silent" }) });
  onTestFinished(() => beat.stop());
  await beat.start();
  await worker.advance("1h");
  expect(ticks).toEqual(["often 02:50", "nightly 03:00", "often 03:10", "often 03:30"]);
  expect(sent(app).map(({ task }) => task)).toEqual(["tasks.tick", "tasks.tick", "tasks.tick", "tasks.tick"]);
  await worker.advance("1d");
  expect(ticks.filter((tick) => tick.startsWith("nightly"))).toHaveLength(2);
  expect(ticks).toHaveLength(4 + 72 + 1);
});

test("advance, with an entry of beat and no beat: it resolves, and nothing is sent", async () => {
  const app = newApp();
  app.task("tasks.tick", () => undefined);
  const worker = workerOn(app);
  await app.beat.set("tick", { task: "tasks.tick", schedule: every("1m") });
  await worker.advance("1h");
  expect(sent(app)).toEqual([]);
});

test("stop, while a task runs: it is asked to end, and the app is on its own engine again", async () => {
  const app = createApp({ broker: "memory://" });
  onTestFinished(() => app.close());
  let start = () => {};
  const started = new Promise<void>((resolve) => (start = resolve));
  let isAborted = false;
  const wait = app.task("tasks.wait", function () {
    start();
    return new Promise<void>((resolve) => {
      this.signal.addEventListener("abort", () => {
        isAborted = true;
        resolve();
      });
    });
  });
  const worker = testWorker(app);
  await wait.delay();
  const drained = worker.drain();
  await started;
  await worker.stop();
  await drained;
  expect(isAborted).toBe(true);
  expect(await app.engine.queues.counts(["default"])).toMatchObject([{ waiting: 0 }]);
  await wait.delay();
  expect(await app.engine.queues.counts(["default"])).toMatchObject([{ waiting: 1 }]);
});

test("stop at once after drain(): the app is on its own engine when both have resolved, and drain() is refused from then on", async () => {
  const app = createApp({ broker: "memory://" });
  onTestFinished(() => app.close());
  const add = app.task("tasks.add", (x: number, y: number) => x + y);
  const worker = testWorker(app);
  await add.delay(1, 2);
  await Promise.all([worker.drain(), worker.stop()]);
  await add.delay(3, 4);
  await expect(worker.drain()).rejects.toMatchObject({ code: "INVALID_OPTION" });
  await expect(worker.advance("1h")).rejects.toMatchObject({ code: "INVALID_OPTION" });
  expect(await app.engine.queues.counts(["default"])).toMatchObject([{ waiting: 1, active: 0 }]);
});

test("the asynchronous context of a test: tasks do not run in it", async () => {
  const app = newApp();
  const context = new AsyncLocalStorage<string>();
  const look = app.task("tasks.look", () => context.getStore() ?? "none");
  const worker = workerOn(app);
  const result = await context.run("of the test", () => look.delay());
  await context.run("of the test", () => worker.drain());
  expect(await result.get()).toBe("none");
});

test("a time that is no length of time, and a queue name that is none: INVALID_OPTION and INVALID_QUEUE_NAME", async () => {
  const app = newApp();
  expect(() => testWorker(app, { queues: [""] })).toThrow(expect.objectContaining({ code: "INVALID_QUEUE_NAME" }));
  const worker = workerOn(app);
  expect(() => worker.clock.advance("soon" as never)).toThrow(expect.objectContaining({ code: "INVALID_OPTION" }));
  await expect(worker.advance(-hour)).rejects.toMatchObject({ code: "INVALID_OPTION" });
});
