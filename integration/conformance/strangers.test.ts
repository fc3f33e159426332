import { randomUUID } from "node:crypto";
import { createApp } from "@bullrush/client";
import { createWorker } from "@bullrush/worker";
import { Queue, Worker } from "bullmq";
import { pino } from "pino";
import { expect, onTestFinished, test } from "vitest";
import { eventually } from "../lib/eventually.js";
import { hangTimeout } from "../lib/hang-timeout.js";
import { redisUrl } from "../lib/redis-url.js";

/**
 * A queue of plain jobs and of our tasks, with a worker of ours that knows the task `known` only,
 * and what it warns of.
 */
async function stage(concurrency: number) {
  const options = { prefix: randomUUID(), connection: { url: redisUrl() } };
  const queue = new Queue("shared", options);
  const app = createApp({ broker: redisUrl(), prefix: options.prefix, queues: ["shared"], defaultQueue: "shared" });
  const warnings: Record<string, unknown>[] = [];
  const log = pino({ level: "warn" }, { write: (line) => void warnings.push(JSON.parse(line) as Record<string, unknown>) });
  const known = app.task("known", (value: number) => value);
  const worker = createWorker(app, { concurrency, log });
  onTestFinished(async () => {
    await worker.stop(AbortSignal.abort());
    await queue.obliterate({ force: true });
    await queue.close();
  });
  return { options, queue, known, worker, warnings };
}

const strangers = (count: number) => Array.from({ length: count }, (_, n) => ({ name: "somebody.elses", data: { n } }));

test.each([
  [1, 1],
  [100, 50],
])("with -c %i, tasks do not wait behind %i jobs that no task is for, and one warning names these", async (concurrency, count) => {
  const { queue, known, worker, warnings } = await stage(concurrency);
  await queue.addBulk(strangers(count));
  const sent = await Promise.all(Array.from({ length: 300 }, (_, n) => known.delay(n)));
  await worker.start();
  expect(await Promise.all(sent.map((result) => result.get({ timeout: hangTimeout })))).toEqual(sent.map((_, n) => n));
  expect(warnings).toMatchObject([{ queue: "shared", name: "somebody.elses" }]);
  await eventually("all are put back", async () => (await queue.getActiveCount()) === 0);
  expect(await queue.getJobCountByTypes("delayed", "waiting")).toBe(count);
  expect(await queue.getFailedCount()).toBe(0);
  // However often it was offered, it has counted one start, and no attempt.
  await eventually("they are offered again", async () => (await queue.getDelayed()).some(({ delay }) => delay > 1500));
  expect((await queue.getDelayed()).map(({ attemptsMade, attemptsStarted }) => [attemptsMade, attemptsStarted])).toEqual(
    Array.from({ length: count }, () => [0, 1]),
  );
});

test("a Worker of BullMQ's gets its jobs while one of ours, which does not know them, works on the same queue", async () => {
  const { options, queue, known, worker } = await stage(10);
  const ran: unknown[] = [];
  const stock = new Worker("shared", async ({ name, data }) => (name === "known" ? "not mine" : ran.push(data)), {
    ...options,
    autorun: false,
    maxStartedAttempts: 2,
  });
  onTestFinished(() => stock.close());
  await worker.start();
  await queue.addBulk(strangers(40));
  await eventually("they were put back", async () => (await queue.getDelayedCount()) === 40);
  void stock.run();
  await eventually("all have run", async () => (await queue.getCompletedCount()) === 40);
  expect(ran).toHaveLength(40);
  expect(await queue.getFailedCount()).toBe(0);
  await stock.close();
  expect(await (await known.delay(7)).get({ timeout: hangTimeout })).toBe(7);
});
