import { randomUUID } from "node:crypto";
import { createApp } from "@bullrush/client";
import { createWorker } from "@bullrush/worker";
import { Queue, Worker } from "bullmq";
import { pino } from "pino";
import { expect, test } from "vitest";
import { eventually } from "../lib/eventually.js";
import { redisUrl } from "../lib/redis-url.js";

test("a Worker of BullMQ's and one of ours share a queue of plain jobs", async () => {
  const options = { prefix: randomUUID(), connection: { url: redisUrl() } };
  const queue = new Queue("shared", options);
  const runs = { stock: 0, ours: 0 };
  /**
   * Fails every job once, so that either worker may meet the second attempt of the other's first.
   */
  const body = (side: keyof typeof runs, attempt: number) => {
    runs[side]++;
    if (attempt === 1) throw new Error("once");
    return side;
  };
  const app = createApp({ broker: redisUrl(), prefix: options.prefix, queues: ["shared"], defaultQueue: "shared" });
  app.task("job", function () {
    return body("ours", this.attempt);
  });
  const ours = createWorker(app, { concurrency: 5, log: pino({ level: "silent" }) });
  const stock = new Worker("shared", async (job) => body("stock", job.attemptsMade + 1), { ...options, concurrency: 5 });
  await Promise.all([ours.start(), stock.waitUntilReady()]);
  await queue.addBulk(
    Array.from({ length: 200 }, (_, n) => ({ name: "job", data: n, opts: { attempts: 2, backoff: 20, priority: n % 3 } })),
  );
  await queue.upsertJobScheduler("s", { every: 50, limit: 5 }, { name: "job", opts: { attempts: 2 } });
  await eventually("all have succeeded", async () => (await queue.getCompletedCount()) === 205);

  const jobs = await queue.getCompleted(0, -1);
  expect(jobs.every(({ attemptsMade, attemptsStarted }) => attemptsMade === 2 && attemptsStarted === 2)).toBe(true);
  expect(runs.stock + runs.ours).toBe(410);
  expect(Math.min(runs.stock, runs.ours)).toBeGreaterThan(0);
  expect(await queue.getJobCounts("active", "waiting", "delayed", "prioritized", "failed")).toEqual({
    ...{ active: 0, waiting: 0, delayed: 0, prioritized: 0, failed: 0 },
  });
  await Promise.all([ours.stop(), stock.close()]);
  await queue.obliterate({ force: true });
  await queue.close();
});
