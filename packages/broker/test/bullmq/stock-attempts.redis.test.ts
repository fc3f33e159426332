import { FlowProducer, type JobsOptions } from "bullmq";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { eventually } from "../../../../integration/lib/eventually.js";
import type { Outcome } from "../../src/protocol/outcome.js";
import { argumentsOf, contentOf, messageOf, outcomes, settlementOf } from "../ports/messages.js";
import { take, takeOne } from "../ports/waiting.js";
import { openBench, type Bench } from "./bench.js";

const secret = "canary-5ecret";
const hour = 3_600_000;

describe("a job of BullMQ's own producers", () => {
  let bench: Bench;

  beforeEach(() => {
    bench = openBench();
  });

  afterEach(() => bench.close());

  /** The job with these options, after one run with that outcome. */
  async function afterRun(opts: JobsOptions, outcome: Outcome = outcomes.failed) {
    const { id } = await bench.queue.add("job", secret, opts);
    const consumer = bench.worker();
    const { settled } = await consumer.settleAndTake({ settle: [settlementOf(await takeOne(consumer), outcome)], take: 0 });
    expect(settled).toEqual(["settled"]);
    const job = await bench.queue.getJob(id!);
    return { job: job!, state: await job!.getState() };
  }

  test("has no crashes, however often it fails", async () => {
    const { id } = await bench.queue.add("job", 1, { attempts: 5 });
    const consumer = bench.worker();
    for (let failures = 0; failures < 5; failures++) {
      const delivery = await takeOne(consumer);
      expect(delivery).toMatchObject({ number: failures + 1, crashes: 0 });
      if (failures > 0) await consumer.begin(delivery);
      await consumer.settleAndTake({ settle: [settlementOf(delivery, outcomes.failed)], take: 0 });
    }
    expect(await bench.broker.redis.hexists(bench.queue.toKey(id!), "startedDeliveries")).toBe(0);
  });

  test("knows its attempt", async () => {
    await bench.queue.add("job", 1, { attempts: 3 });
    const consumer = bench.worker();
    for (const retries of [0, 1, 2]) {
      const delivery = await takeOne(consumer);
      expect(contentOf(delivery).retries).toBe(retries);
      await consumer.settleAndTake({ settle: [settlementOf(delivery, outcomes.requeued)], take: 0 });
      const again = await takeOne(consumer);
      expect(contentOf(again).retries).toBe(retries);
      await consumer.settleAndTake({ settle: [settlementOf(again, outcomes.failed)], take: 0 });
    }
    expect(await bench.queue.getJobCounts("failed", "waiting", "active")).toEqual({ failed: 1, waiting: 0, active: 0 });
  });

  test("waits for chance as long as its jitter says", async () => {
    await bench.queue.addBulk(
      Array.from({ length: 20 }, () => ({
        name: "job",
        data: 1,
        opts: { attempts: 2, backoff: { type: "exponential", delay: 1000, jitter: 0.5 } },
      })),
    );
    const consumer = bench.worker();
    for (let call = 0; call < 10; call++) {
      const deliveries = await take(consumer, 2);
      await consumer.settleAndTake({ settle: deliveries.map((delivery) => settlementOf(delivery, outcomes.failed)), take: 0 });
    }
    const delays = (await bench.queue.getDelayed()).map(({ delay }) => delay);
    expect(delays).toHaveLength(20);
    for (const delay of delays) {
      expect(delay).toBeGreaterThanOrEqual(500);
      expect(delay).toBeLessThanOrEqual(1000);
    }
    expect(new Set(delays).size).toBeGreaterThan(15);
  });

  test("fails, and says why, when only its producer knows how long to wait", async () => {
    const { job, state } = await afterRun({ attempts: 5, backoff: { type: "fibonacci", delay: 10 } });
    expect(state).toBe("failed");
    expect(job.failedReason).toBe("no number (not tried again: its backoff strategy is its producer's own, and unknown here)");
    expect(job.attemptsMade).toBe(1);
  });

  test("that limits the rate waits again, and has not failed", async () => {
    const failure = { name: "RateLimitError", message: "bullmq:rateLimitExceeded" };
    const { job, state } = await afterRun({}, { type: "failed", failure });
    expect([state, job.attemptsMade, job.attemptsStarted]).toEqual(["waiting", 0, 1]);
  });

  test.each<[string, string]>([
    ["no JSON", `{"attempts":`],
    ["no object", "7"],
    ["of other types", `{"attempts":"x","backoff":[],"removeOnFail":null,"stackTraceLimit":{}}`],
  ])("ends though its options are %s", async (_, opts) => {
    const { id } = await bench.queue.add("job", 1);
    await bench.broker.redis.hset(`${bench.broker.prefix}:feeds:${id}`, { opts, stacktrace: "no JSON" });
    const consumer = bench.worker();
    const { settled } = await consumer.settleAndTake({ settle: [settlementOf(await takeOne(consumer), outcomes.failed)], take: 0 });
    expect(settled).toEqual(["settled"]);
    expect(await bench.stage.counts("feeds")).toMatchObject({ failed: 1, active: 0, waiting: 0 });
  });

  test("keeps the last stacks, however many somebody has planted", async () => {
    const { id } = await bench.queue.add("job", 1, { attempts: 3, stackTraceLimit: 2 });
    const planted = JSON.stringify([...Array.from({ length: 60_000 }, () => "a"), 7, { a: 1 }]);
    await bench.broker.redis.hset(`${bench.broker.prefix}:feeds:${id}`, "stacktrace", planted);
    const consumer = bench.worker();
    // Without an end of this call within its deadline, it rejects.
    const { settled } = await consumer.settleAndTake({ settle: [settlementOf(await takeOne(consumer), outcomes.failed)], take: 0 });
    expect(settled).toEqual(["settled"]);
    const { stacktrace } = (await bench.queue.getJob(id!))!;
    expect(stacktrace).toHaveLength(2);
    expect(stacktrace?.[0]).toBe("a");
  });

  test("begins its stacks anew after a list that is too long", async () => {
    const { id } = await bench.queue.add("job", 1, { attempts: 3 });
    await bench.broker.redis.hset(`${bench.broker.prefix}:feeds:${id}`, "stacktrace", JSON.stringify(["a".repeat(300_000)]));
    const consumer = bench.worker();
    await consumer.settleAndTake({ settle: [settlementOf(await takeOne(consumer), outcomes.failed)], take: 0 });
    expect((await bench.queue.getJob(id!))!.stacktrace).toEqual([expect.stringContaining("Error")]);
  });

  test.each<[string, Record<string, string>]>([
    ["null", { parent: "null" }],
    ["a number", { parent: "1" }],
    ["no JSON", { parent: "[".repeat(2000) }],
    ["of other types", { parent: `{"id":{},"queueKey":[]}`, parentKey: "bull:feeds:1" }],
    ["a queue without an id", { parent: `{"queueKey":"bull:feeds"}`, parentKey: "bull:feeds:1" }],
    ["a key without a colon", { parentKey: "planted" }],
    ["very long", { parent: `{"fpof":true,"queueKey":"bull:feeds","id":"${"1".repeat(70_000)}"}` }],
  ])("ends in any way though its parent is %s", async (_, planted) => {
    const consumer = bench.worker();
    for (const outcome of [outcomes.succeeded, outcomes.failed, outcomes.dead]) {
      const { id } = await bench.queue.add("job", 1);
      await bench.broker.redis.hset(`${bench.broker.prefix}:feeds:${id}`, planted);
      const { settled } = await consumer.settleAndTake({ settle: [settlementOf(await takeOne(consumer), outcome)], take: 0 });
      expect(settled).toEqual(["settled"]);
    }
    expect(await bench.stage.counts("feeds")).toMatchObject({ completed: 1, failed: 2, active: 0, waiting: 0 });
  });

  test.each(["1.5", "nan", "1e400", "9223372036854775807", "0x10", " 1", "-1", "1".repeat(1000)])(
    "ends in any way though its attempts are %s",
    async (atm) => {
      const consumer = bench.worker();
      for (const outcome of [outcomes.succeeded, outcomes.failed, outcomes.dead]) {
        const { id } = await bench.queue.add("job", 1);
        await bench.broker.redis.hset(`${bench.broker.prefix}:feeds:${id}`, { atm });
        const { settled } = await consumer.settleAndTake({ settle: [settlementOf(await takeOne(consumer), outcome)], take: 0 });
        expect(settled).toEqual(["settled"]);
      }
      expect(await bench.stage.counts("feeds")).toMatchObject({ completed: 1, failed: 2, active: 0, waiting: 0 });
    },
  );

  test("leaves nothing behind when newer ones of ours take its place", async () => {
    const { redis, prefix } = bench.broker;
    const flow = bench.closed(new FlowProducer(bench.options()));
    const { job } = await flow.add({ name: "job", queueName: "feeds", children: [{ name: "job", queueName: "feeds", data: 1 }] });
    await job.log("a line");
    // The last job of a scheduler, which tools may not remove.
    const last = await bench.queue.upsertJobScheduler("s", { every: hour, limit: 1 }, { name: "job" });
    const consumer = bench.worker();
    const settle = async () => consumer.settleAndTake({ settle: [settlementOf(await takeOne(consumer))], take: 0 });
    for (let jobs = 0; jobs < 3; jobs++) await settle();
    await redis.zadd(
      `${prefix}:feeds:completed`,
      ...Array.from({ length: 1000 }, (_, index) => [Date.now() + hour, `other-${index}`]).flat(),
    );
    await bench.stage.send({ queue: "feeds", message: messageOf() });
    await settle();
    await eventually("removal", async () => (await redis.zscore(`${prefix}:feeds:completed`, job.id!)) === null);
    expect(await redis.keys(`${prefix}:feeds:${job.id}*`)).toEqual([]);
    expect(await redis.keys(`${prefix}:feeds:${last?.id}*`)).toEqual([]);
    expect(await redis.zcard(`${prefix}:feeds:completed`)).toBe(1000);
  });

  describe("of a scheduler whose pattern is its producer's own", () => {
    test("runs, and nobody hears what is in its options", async () => {
      const heard: string[] = [];
      const engine = bench.broker.connect({ onConnectionError: (reason) => heard.push(reason) });
      const consumer = engine.consume({ queues: [{ name: "feeds" }], order: "strict", lease: 30_000, worker: "worker-a" });
      await bench.queue.upsertJobScheduler("s", { every: hour }, { name: "job", data: secret });
      const [id] = (await bench.queue.getWaiting()).map((job) => job.id!);
      const opts = { attempts: 1, repeat: { pattern: `FREQ=${secret}`, count: 1 }, prevMillis: 1 };
      await bench.broker.redis.hset(`${bench.broker.prefix}:feeds:${id}`, "opts", JSON.stringify(opts));
      expect(argumentsOf(await take(consumer, 5))).toEqual([secret]);
      expect(heard).toEqual([`scheduler "s" of queue "feeds" does not go on: its pattern is no cron expression`]);
    });
  });
});
