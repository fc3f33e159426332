import { createBeat } from "@bullrush/beat";
import { chain, chord, createApp, every, type App } from "@bullrush/client";
import { createWorker } from "@bullrush/worker";
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";

const log = pino({ level: "silent" });

/** The app of the README's example, with a worker on all its queues, in the memory of this process. */
async function openApp(options: Parameters<typeof createApp>[0] = {}): Promise<App> {
  const app = createApp({
    broker: "memory://",
    queues: ["default", { name: "for_task_A", exchange: "for_task_A", routingKey: "for_task_A" }],
    routes: { "tasks.taskA": { queue: "for_task_A", routingKey: "for_task_A" } },
    ...options,
  });
  const worker = createWorker(app, { log });
  onTestFinished(async () => void (await worker.stop(AbortSignal.abort())));
  await worker.start();
  return app;
}

test("README's example in one process: the result of taskA comes through its queue", async () => {
  const app = await openApp();
  const taskA = app.task("tasks.taskA", (x: number, y: number) => x + y);
  const result = await taskA.delay(100, 200);
  expect(await result.get({ timeout: "10s" })).toBe(300);
  expect((await result.details()).queue).toBe("for_task_A");
});

test("a chord of 1,000 in one process: its body gets all values in their order", async () => {
  const app = await openApp();
  const double = app.task("tasks.double", (x: number) => 2 * x);
  const list = app.task("tasks.list", (values: number[]) => values);
  const numbers = Array.from({ length: 1000 }, (_, number) => number);
  const body = chain(list.s(), list.s());
  const result = await chord(
    numbers.map((number) => double.s(number)),
    body,
  ).delay();
  expect(await result.get({ timeout: "60s" })).toEqual(numbers.map((number) => 2 * number));
});

test("retries and a revocation in one process: the third attempt succeeds, and what is revoked does not run", async () => {
  const app = await openApp();
  let runs = 0;
  const never = app.task("tasks.never", () => ++runs);
  const flaky = app.task("tasks.flaky", { autoRetryFor: Error, retryDelay: 1 }, function () {
    if (this.attempt < 3) throw new Error("not yet");
    return this.attempt;
  });
  const revoked = await never.applyAsync([], { countdown: "1h" });
  expect(await revoked.revoke()).toBe(true);
  expect(await (await flaky.delay()).get({ timeout: "10s" })).toBe(3);
  await expect(revoked.get({ timeout: "10s" })).rejects.toMatchObject({ code: "TASK_REVOKED" });
  expect(runs).toBe(0);
});

test("a beat in one process: the worker runs what it sends", async () => {
  const app = await openApp({ beat: { tick: { task: "tasks.tick", schedule: every("100ms") } } });
  let ticks = 0;
  app.task("tasks.tick", () => ++ticks);
  const beat = createBeat(app, { log });
  onTestFinished(() => beat.stop());
  await beat.start();
  await expect.poll(() => ticks).toBeGreaterThanOrEqual(3);
});
