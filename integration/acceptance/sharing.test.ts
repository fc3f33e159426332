import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { createApp, type App } from "@bullrush/client";
import { Redis } from "ioredis";
import { createWorker, type Worker, type WorkerOptions } from "@bullrush/worker";
import { pino } from "pino";
import { afterEach, expect, inject, test } from "vitest";
import { hangTimeout } from "../lib/hang-timeout.js";

const log = pino({ level: "silent" });
const open: (() => Promise<unknown>)[] = [];

afterEach(async () => {
  for (const close of open.splice(0).toReversed()) await close();
});

/**
 * An app on queues of its own, with one task a queue that takes `ms` and writes down that it began.
 */
function appOf(prefix: string, queues: readonly string[], ms: number) {
  const app = createApp({ broker: inject("redisUrl"), prefix, queues });
  const begun: string[] = [];
  const running = { now: 0, most: 0 };
  const tasks = queues.map((queue) =>
    app.task(`on.${queue}`, { queue }, async () => {
      running.most = Math.max(running.most, ++running.now);
      begun.push(queue);
      await sleep(ms);
      running.now--;
    }),
  );
  open.push(() => app.close());
  return { app, begun, running, tasks };
}

async function start(app: App, options: WorkerOptions): Promise<Worker> {
  const worker = createWorker(app, { log, ...options });
  open.push(() => worker.stop(AbortSignal.abort()));
  await worker.start();
  return worker;
}

test("two queues: share the slots of a worker in turn", async () => {
  const prefix = randomUUID();
  const producer = appOf(prefix, ["a", "b"], 0);
  const consumer = appOf(prefix, ["a", "b"], 50);
  const sent = await Promise.all(producer.tasks.flatMap((task) => Array.from({ length: 200 }, () => task.delay())));
  await start(consumer.app, { concurrency: 4 });
  await Promise.all(sent.map((result) => result.get()));

  expect(consumer.begun).toHaveLength(400);
  expect(consumer.running.most).toBe(4);
  expect(widestLead(consumer.begun)).toBeLessThanOrEqual(4);
});

test("weights: turns in proportion; strict order: a queue only while earlier ones are empty", async () => {
  const prefix = randomUUID();
  const producer = appOf(prefix, ["a", "b"], 0);
  const [onA, onB] = producer.tasks;
  const fill = () => Promise.all([...Array.from({ length: 40 }, () => onA?.delay()), ...Array.from({ length: 40 }, () => onB?.delay())]);

  const weighted = appOf(prefix, ["a", "b"], 1);
  let sent = await fill();
  const first = await start(weighted.app, { concurrency: 1, queues: ["a:3", "b"] });
  await Promise.all(sent.map((result) => result?.get()));
  await first.stop();
  const share = weighted.begun.slice(0, 40).filter((queue) => queue === "a").length;
  expect(share).toBe(30);

  const strict = appOf(prefix, ["a", "b"], 1);
  sent = await fill();
  await start(strict.app, { concurrency: 1, queues: ["b", "a"], order: "strict" });
  await Promise.all(sent.map((result) => result?.get()));
  expect(strict.begun.join("")).toBe("b".repeat(40) + "a".repeat(40));
});

test("task in an idle queue: starts at once, however many wait in another", async () => {
  const prefix = randomUUID();
  const producer = appOf(prefix, ["a", "b"], 0);
  const consumer = appOf(prefix, ["a", "b"], 20);
  const [onA, onB] = producer.tasks;
  await Promise.all(Array.from({ length: 10_000 }, () => onA?.delay()));
  await start(consumer.app, { concurrency: 4 });
  await expect.poll(() => consumer.begun.length).toBeGreaterThan(20);
  const result = await onB?.delay();
  const position = consumer.begun.length;
  await result?.get({ timeout: hangTimeout });
  // The slots that were taken when it was sent, and one round of them at the most.
  expect(consumer.begun.indexOf("b") - position).toBeLessThanOrEqual(4);
  await producer.app.engine.queues.purge("a");
});

test("three idle workers: share the messages of one publish", async () => {
  const prefix = randomUUID();
  const producer = appOf(prefix, ["a"], 0);
  const consumers = [1, 2, 3].map(() => appOf(prefix, ["a"], 20));
  for (const { app } of consumers) await start(app, { concurrency: 1 });
  const sent = await Promise.all(Array.from({ length: 300 }, () => producer.tasks[0]?.delay()));
  await Promise.all(sent.map((result) => result?.get()));
  const shares = consumers.map(({ begun }) => begun.length);
  expect(shares.reduce((sum, share) => sum + share)).toBe(300);
  for (const share of shares) expect(Math.abs(share - 100), `shares ${shares.join(", ")}`).toBeLessThanOrEqual(20);
});

test("stop of a worker that was woken and has not taken: other workers are woken", async () => {
  const prefix = randomUUID();
  const producer = appOf(prefix, ["a"], 0);
  const redis = new Redis(inject("redisUrl"), { replyMapping: "legacy", maxRetriesPerRequest: null });
  open.push(async () => redis.disconnect());
  const worker = await start(appOf(prefix, ["a"], 0).app, { concurrency: 1 });
  await producer.app.sendTask("on.a", [], { queue: "a", countdown: "1h" });
  const markers = () => redis.zcard(`${prefix}:a:marker`);
  await expect.poll(markers).toBe(0);
  await worker.stop();
  // Whoever hears it looks, and learns when the message is due.
  expect(await redis.zscore(`${prefix}:a:marker`, "1")).not.toBeNull();
  await producer.app.engine.queues.purge("a");
});

/** By how many tasks one queue was ever ahead of the other. */
function widestLead(begun: readonly string[]): number {
  let lead = 0;
  let widest = 0;
  for (const queue of begun) {
    lead += queue === "a" ? 1 : -1;
    widest = Math.max(widest, Math.abs(lead));
  }
  return widest;
}
