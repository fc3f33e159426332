import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { createApp } from "@bullrush/client";
import { FlowProducer, Queue } from "bullmq";
import { Redis } from "ioredis";
import { expect, test } from "vitest";
import { eventually } from "../lib/eventually.js";
import { startProgram, type Program } from "../lib/program.js";
import { redisUrl } from "../lib/redis-url.js";

const fixture = fileURLToPath(new URL("../cli/fixtures/short-lease.mjs", import.meta.url));

test("after SIGKILL of a worker with 50 jobs at work, another one runs them all, and each has one result", async () => {
  const prefix = `kills-${randomUUID()}`;
  const options = { prefix, connection: { url: redisUrl() } };
  const worker = (name: string, hold: number): Program =>
    startProgram({
      file: fixture,
      env: { BULLRUSH_BROKER_URL: redisUrl(), FIXTURE_PREFIX: prefix, FIXTURE_NAME: name, FIXTURE_HOLD: String(hold) },
    });
  await using app = createApp({ broker: redisUrl(), prefix, queues: ["one"], defaultQueue: "one" });
  const queue = new Queue("one", options);
  const flow = new FlowProducer(options);
  const redis = new Redis(redisUrl(), { replyMapping: "legacy" });

  const ours = await Promise.all(Array.from({ length: 25 }, () => app.sendTask("fixture.hold")));
  await queue.addBulk(Array.from({ length: 22 }, () => ({ name: "fixture.hold", data: 0, opts: { attempts: 3 } })));
  await queue.upsertJobScheduler("hourly", { every: 3_600_000 }, { name: "fixture.hold" });
  const child = { name: "fixture.hold", queueName: "one" };
  await flow.add({ ...child, children: [child, { ...child, opts: { priority: 2 } }] });

  await using first = worker("first", 60_000);
  await eventually("the first has 50 at work", async () => (await queue.getActiveCount()) === 50);
  await first.kill();
  await using second = worker("second", 0);
  await eventually("all have ended", async () => (await queue.getCompletedCount()) === 51);

  const results = await Promise.all(ours.map((result) => result.get()));
  expect(results).toEqual(ours.map(() => ({ attempt: 1, worker: "second" })));
  const jobs = await queue.getCompleted(0, -1);
  const theirs = jobs.filter(({ id }) => ours.every((result) => result.id !== id));
  expect(theirs.map(({ returnvalue }) => returnvalue)).toEqual(Array.from({ length: 26 }, () => ({ attempt: 1, worker: "second" })));
  expect(jobs.every(({ attemptsMade }) => attemptsMade === 1)).toBe(true);
  const ends = (await redis.xrange(`${prefix}:one:events`, "-", "+")).filter(([, fields]) => fields[1] === "completed");
  expect(new Set(ends.map(([, fields]) => fields[3])).size).toBe(51);
  expect(ends).toHaveLength(51);
  expect(await queue.getJobCounts("active", "waiting", "delayed", "failed", "waiting-children")).toEqual({
    ...{ active: 0, waiting: 0, failed: 0, "waiting-children": 0 },
    // The next one of the scheduler: once, though its job was taken twice.
    delayed: 1,
  });

  await second.stop();
  await queue.obliterate({ force: true });
  await Promise.all([queue.close(), flow.close()]);
  redis.disconnect();
});
