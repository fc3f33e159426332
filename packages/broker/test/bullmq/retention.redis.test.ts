import { FlowProducer } from "bullmq";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { until } from "../../../../integration/lib/until.js";
import { newId } from "../../src/id.js";
import type { Consumer } from "../../src/ports/consumer.js";
import type { Delivery } from "../../src/ports/delivery.js";
import type { Outcome } from "../../src/protocol/outcome.js";
import { ownQueueKey } from "../../src/redis/keys.js";
import { compileRetention, defaultRetention, type RetentionOptions } from "../../src/routing/retention.js";
import { deadLettersOf } from "../dead-letters.js";
import { messageOf, outcomes, settlementOf } from "../ports/messages.js";
import { take } from "../ports/waiting.js";
import { openBench, type Bench } from "./bench.js";

const kibibyte = 1024;

/** What is looked for in all that is left. */
const canary = "canary-4rgument";

describe("what a queue keeps of what has ended", () => {
  let bench: Bench;

  beforeEach(async () => {
    bench = openBench();
    // What is compressed cannot be searched.
    await bench.broker.redis.config("SET", "rdbcompression", "no");
  });

  afterEach(() => bench.close());

  function consume(retention: RetentionOptions, queue = "feeds"): Consumer {
    return bench.stage.engine.consume({
      queues: [{ name: queue, retention: compileRetention(retention, defaultRetention(60_000)) }],
      order: "round-robin",
      lease: 30_000,
      worker: "keeper",
    });
  }

  /** Sends `count` messages with arguments of `size` characters, takes them and ends each so. Gives their ids. */
  async function end(consumer: Consumer, count: number, outcome: Outcome = outcomes.succeeded, size = 0): Promise<readonly string[]> {
    const ids = Array.from({ length: count }, () => newId());
    await bench.stage.send(...ids.map((id) => ({ queue: "feeds", message: messageOf({ id, args: [canary, "x".repeat(size)] }) })));
    await settle(consumer, await take(consumer, count), outcome);
    return ids;
  }

  async function settle(consumer: Consumer, deliveries: readonly Delivery[], outcome: Outcome): Promise<void> {
    const { settled } = await consumer.settleAndTake({ settle: deliveries.map((delivery) => settlementOf(delivery, outcome)), take: 0 });
    expect(settled).toEqual(deliveries.map(() => "settled"));
  }

  const set = (kind: "completed" | "failed") => bench.broker.redis.zrange(`${bench.broker.prefix}:feeds:${kind}`, "0", "-1");

  /** What our own count says, in bytes. */
  async function counted(field: "completed" | "failed" | "deadLetters"): Promise<number> {
    return Number(await bench.broker.redis.hget(`${ownQueueKey(bench.broker.prefix, "feeds")}retained`, field));
  }

  /** What all keys of the prefix take, as Redis counts it. */
  async function memory(): Promise<number> {
    const { redis, prefix } = bench.broker;
    const keys = await redis.keys(`*${prefix}*`);
    const usages = await Promise.all(keys.map((key) => redis.memory("USAGE", key, "SAMPLES", 0)));
    return usages.reduce<number>((sum, usage) => sum + (usage ?? 0), 0);
  }

  /** Whether the secret is left in any key of the prefix. */
  async function isLeft(): Promise<boolean> {
    const { redis, prefix } = bench.broker;
    const dumps = await Promise.all((await redis.keys(`*${prefix}*`)).map((key) => redis.dumpBuffer(key)));
    return dumps.some((dump) => dump?.includes(canary) ?? false);
  }

  test.each<["completed" | "failed", Outcome]>([
    ["completed", outcomes.succeeded],
    ["failed", outcomes.failed],
    ["failed", outcomes.revoked],
  ])("is bounded by count: %s", async (kind, outcome) => {
    const consumer = consume({ [kind]: { count: 3 } });
    await end(consumer, 2, outcome);
    const ids = await end(consumer, 4, outcome);
    expect(ids).toEqual(expect.arrayContaining(await set(kind)));
    expect(await set(kind)).toHaveLength(3);
    expect(await counted(kind)).toBeGreaterThan(3 * 1200);
  });

  test.each<["completed" | "failed", Outcome]>([
    ["completed", outcomes.succeeded],
    ["failed", outcomes.failed],
  ])("is bounded by bytes, whatever the count, and the oldest go first: %s", async (kind, outcome) => {
    const consumer = consume({ [kind]: { bytes: 600 * kibibyte } });
    await end(consumer, 5, outcome);
    for (let round = 0; round < 10; round++) await end(consumer, 5, outcome, 50 * kibibyte);
    expect(await counted(kind)).toBeLessThanOrEqual(600 * kibibyte);
    expect(await counted(kind)).toBeGreaterThan(500 * kibibyte);
    expect(await memory()).toBeLessThan(700 * kibibyte);
    const newest = await end(consumer, 5, outcome);
    expect(await set(kind)).toEqual(expect.arrayContaining([...newest]));
  });

  test("is nothing at all with a bound of 0, and nothing of the messages is left", async () => {
    for (const bound of [{ count: 0 }, { bytes: 0 }]) {
      const consumer = consume({ completed: bound, failed: bound, deadLetter: bound });
      for (const outcome of [outcomes.succeeded, outcomes.failed, outcomes.dead]) await end(consumer, 3, outcome);
      expect(consumer.droppedDeadLetters()).toEqual(new Map([["feeds", 3]]));
    }
    expect(await bench.broker.redis.keys(`${bench.broker.prefix}:feeds:*-*-*`)).toEqual([]);
    expect(await isLeft()).toBe(false);
  });

  test("is without arguments where they are not to be kept: of finished jobs, plain ones included, and dead letters", async () => {
    const consumer = consume({ keepArguments: false });
    for (const outcome of [outcomes.succeeded, outcomes.failed, outcomes.revoked, outcomes.dead]) await end(consumer, 2, outcome);
    await bench.queue.addBulk([1, 2].map(() => ({ name: "mail", data: canary })));
    const plain = await take(consumer, 2);
    await settle(consumer, plain.slice(0, 1), outcomes.succeeded);
    await settle(consumer, plain.slice(1), outcomes.failed);
    expect(await isLeft()).toBe(false);
    expect(await set("completed")).toHaveLength(3);
    expect(await set("failed")).toHaveLength(7);
    expect((await bench.queue.getCompleted()).map(({ data }) => data as unknown)).toEqual([{}, {}, {}]);
    expect(await deadLettersOf(bench.broker.redis, bench.broker.prefix, "feeds")).toMatchObject([{ data: "" }, { data: "" }]);
  });

  test("of dead letters is bounded by count and bytes as well, and it is said how many were dropped", async () => {
    const { redis, prefix } = bench.broker;
    const few = consume({ deadLetter: { count: 2 } });
    await end(few, 5, outcomes.dead);
    expect(await deadLettersOf(redis, prefix, "feeds")).toHaveLength(2);
    expect(few.droppedDeadLetters()).toEqual(new Map([["feeds", 3]]));
    expect(few.droppedDeadLetters()).toEqual(new Map());
    const short = consume({ deadLetter: { bytes: 100 * kibibyte } });
    const ids = await end(short, 5, outcomes.dead, 40 * kibibyte);
    const left = (await deadLettersOf(redis, prefix, "feeds")).map(({ id }) => id!);
    expect(left).toHaveLength(2);
    expect(ids).toEqual(expect.arrayContaining(left));
    expect(short.droppedDeadLetters()).toEqual(new Map([["feeds", 5]]));
  });

  test("goes when it is older than its age, at a worker's scan, and what is younger stays", async () => {
    const brief = consume({ completed: { age: 1 }, failed: { age: 1 }, deadLetter: { age: 1 } });
    const long = consume({});
    await end(long, 600);
    for (const outcome of [outcomes.failed, outcomes.dead]) await end(long, 3, outcome);
    await long.recover();
    expect(await set("completed")).toHaveLength(600);
    await until(async () => {
      await brief.recover();
      expect(await deadLettersOf(bench.broker.redis, bench.broker.prefix, "feeds")).toEqual([]);
    });
    expect(await bench.broker.redis.keys(`${bench.broker.prefix}:feeds:*-*-*`)).toEqual([]);
    expect(brief.droppedDeadLetters()).toEqual(new Map([["feeds", 3]]));
    for (const field of ["completed", "failed", "deadLetters"] as const) expect(await counted(field)).toBe(0);
    expect(await isLeft()).toBe(false);
  });

  test("is counted anew when BullMQ's tools have removed some", async () => {
    const { redis, prefix } = bench.broker;
    const consumer = consume({});
    await end(consumer, 4, outcomes.succeeded, 10 * kibibyte);
    const before = await counted("completed");
    const jobs = await bench.queue.getCompleted();
    await Promise.all(jobs.slice(0, 3).map((job) => job.remove()));
    await consumer.recover();
    const once = await counted("completed");
    expect(once).toBeLessThan(before / 3);
    // Not at every scan.
    await redis.hset(`${ownQueueKey(prefix, "feeds")}retained`, "completed", "1");
    await consumer.recover();
    expect(await counted("completed")).toBe(1);
  });

  test.each(["clean", "obliterate"] as const)("is counted anew at once when %s of BullMQ has left next to nothing", async (tool) => {
    const consumer = consume({ completed: { bytes: 100 * kibibyte } });
    await end(consumer, 10, outcomes.succeeded, 10 * kibibyte);
    await (tool === "clean" ? bench.queue.clean(0, 100, "completed") : bench.queue.obliterate());
    expect(await set("completed")).toHaveLength(0);
    for (let round = 0; round < 10; round++) await end(consumer, 2);
    expect(await set("completed")).toHaveLength(20);
    expect(await counted("completed")).toBeLessThan(40 * kibibyte);
  });

  test("of plain jobs is counted too, and bounded where their producer asks for nothing", async () => {
    const consumer = consume({ completed: { bytes: 100 * kibibyte } });
    await bench.queue.addBulk(Array.from({ length: 6 }, () => ({ name: "mail", data: "x".repeat(30 * kibibyte) })));
    await settle(consumer, await take(consumer, 6), outcomes.succeeded);
    expect(await set("completed")).toHaveLength(2);
    expect(await counted("completed")).toBeLessThanOrEqual(100 * kibibyte);
  });

  test("of plain jobs is not counted any more when the count of their producer removes them", async () => {
    const consumer = consume({ completed: { bytes: 100 * kibibyte } });
    await end(consumer, 1);
    for (let round = 0; round < 6; round++) {
      await bench.queue.add("mail", "x".repeat(30 * kibibyte), { removeOnComplete: 2 });
      await settle(consumer, await take(consumer, 1), outcomes.succeeded);
    }
    expect(await set("completed")).toHaveLength(2);
    expect(await counted("completed")).toBeLessThan(75 * kibibyte);
  });

  test.each([
    ["true", true, []],
    ["a count", 2, ["3", "4"]],
    ["a count in an object", { count: 1 }, ["4"]],
    ["false", false, ["1", "2", "3", "4"]],
    ["an age", { age: 60 }, ["1", "2", "3", "4"]],
  ] as const)("of plain jobs is what their producer asks for, whatever the count of the queue: %s", async (_, removeOnComplete, left) => {
    const consumer = consume({ completed: { count: 3 } });
    for (const jobId of ["1", "2", "3", "4"]) {
      await bench.queue.add("mail", jobId, { jobId: `job-${jobId}`, removeOnComplete });
      await settle(consumer, await take(consumer, 1), outcomes.succeeded);
    }
    expect(await set("completed")).toEqual(left.map((id) => `job-${id}`));
    expect(await counted("completed")).toBeLessThan((left.length + 1) * 1500);
  });

  test("of plain jobs is removed at the age that their producer asks for", async () => {
    const { redis, prefix } = bench.broker;
    const consumer = consume({});
    await bench.queue.add("mail", "old", { jobId: "old" });
    await settle(consumer, await take(consumer, 1), outcomes.succeeded);
    await redis.zincrby(`${prefix}:feeds:completed`, -30_000, "old");
    await bench.queue.add("mail", "new", { jobId: "new", removeOnComplete: { age: 10 } });
    await settle(consumer, await take(consumer, 1), outcomes.succeeded);
    expect(await set("completed")).toEqual(["new"]);
    expect(await redis.exists(`${prefix}:feeds:old`)).toBe(0);
    expect(await counted("completed")).toBeLessThan(1500);
  });

  test("of plain jobs goes without ending the time in which they have no duplicates", async () => {
    const consumer = consume({ completed: { count: 1 } });
    await bench.queue.add("mail", "first", { jobId: "first", deduplication: { id: "one", ttl: 600_000 } });
    await settle(consumer, await take(consumer, 1), outcomes.succeeded);
    await end(consumer, 1);
    expect(await set("completed")).not.toContain("first");
    expect(await bench.queue.getDeduplicationJobId("one")).toBe("first");
  });

  test("has a plain job for as long as its parent waits for it, and none that is behind it", async () => {
    const { redis, prefix } = bench.broker;
    const flow = bench.closed(new FlowProducer(bench.options()));
    const consumer = consume({ failed: { age: 1, count: 1 } });
    const parent = await flow.add({ name: "parent", queueName: "feeds", children: [{ name: "child", queueName: "feeds" }] });
    await settle(consumer, await take(consumer, 1), outcomes.failed);
    const [child] = await set("failed");
    await end(consumer, 3, outcomes.failed);
    await until(async () => {
      await consumer.recover();
      expect(await set("failed")).toEqual([child]);
    });
    expect(await parent.job.getState()).toBe("waiting-children");
    expect(await redis.hget(`${prefix}:feeds:${child}`, "failedReason")).toBeTruthy();
    await parent.job.remove();
    await end(consumer, 1, outcomes.failed);
    await until(async () => {
      await consumer.recover();
      expect(await set("failed")).toEqual([]);
    });
    expect(await redis.keys(`${prefix}:feeds:*-*-*`)).toEqual([]);
  });

  test("is not dropped for the bytes of what BullMQ's tools have taken out", async () => {
    const { redis, prefix } = bench.broker;
    const consumer = consume({ failed: { bytes: 200 * kibibyte } });
    await end(consumer, 5, outcomes.failed, 30 * kibibyte);
    // The last count is older than a few seconds.
    await redis.hset(`${ownQueueKey(prefix, "feeds")}retained`, "failedCountedAt", String(Date.now() - 10_000));
    await bench.queue.retryJobs();
    const again = await take(consumer, 5);
    for (const delivery of again) await settle(consumer, [delivery], outcomes.failed);
    expect(await set("failed")).toHaveLength(5);
    expect(await counted("failed")).toBeGreaterThan(150 * kibibyte);
  });

  test("goes with the next that ends once nothing is to be kept any more", async () => {
    await end(consume({}), 5);
    await end(consume({ completed: { count: 0 } }), 1);
    expect(await set("completed")).toEqual([]);
    expect(await counted("completed")).toBe(0);
  });

  test("is counted anew in all queues, however many there are", async () => {
    const { redis, prefix } = bench.broker;
    const names = Array.from({ length: 30 }, (_, index) => `many-${index}`);
    const consumer = bench.stage.engine.consume({
      queues: names.map((name) => ({ name })),
      order: "round-robin",
      lease: 30_000,
      worker: "keeper",
    });
    await bench.stage.send(...names.map((queue) => ({ queue, message: messageOf() })));
    await settle(consumer, await take(consumer, names.length), outcomes.succeeded);
    const fields = () => Promise.all(names.map((name) => redis.hget(`${ownQueueKey(prefix, name)}retained`, "completed")));
    const right = await fields();
    for (const name of names) await redis.hset(`${ownQueueKey(prefix, name)}retained`, "completed", "1");
    // Less often than one look for each queue.
    for (let look = 0; look < 3; look++) await consumer.recover();
    expect(await fields()).toEqual(right);
  });

  test("is counted from everywhere in a set that is too long to be read whole", async () => {
    const { redis, prefix } = bench.broker;
    const consumer = consume({ completed: { count: 100_000 } });
    await end(consumer, 1, outcomes.succeeded, 50 * kibibyte);
    const large = Number(await redis.zscore(`${prefix}:feeds:completed`, (await set("completed"))[0]!)) % 1;
    const at = Date.now() - 50_000;
    const members = Array.from({ length: 30_000 }, (_, index) => [
      // Those in the middle are large, and those at both ends small.
      Math.floor(at) + index + (Math.floor(index / 10_000) === 1 ? large : 0.5),
      `made-up-${index}`,
    ]);
    for (let from = 0; from < members.length; from += 1000)
      await redis.zadd(
        `${prefix}:feeds:completed`,
        ...members
          .slice(from, from + 1000)
          .flat()
          .map(String),
      );
    await consumer.recover();
    const expected = 10_000 * 57 * kibibyte + 20_000 * kibibyte;
    expect(await counted("completed")).toBeGreaterThan(expected * 0.95);
    expect(await counted("completed")).toBeLessThan(expected * 1.05);
  });

  test("tells no more than the beginning of a long error in an event, and the whole with the job", async () => {
    const { redis, prefix } = bench.broker;
    const message = `${"é".repeat(3000)} end`;
    const [id] = await end(consume({}), 1, { type: "failed", failure: { name: "E", message } });
    const events = await redis.xrange(`${prefix}:feeds:events`, "-", "+");
    const [told] = events.flatMap(([, fields]) => (fields.includes("failedReason") ? [fields[fields.indexOf("failedReason") + 1]!] : []));
    expect(Buffer.byteLength(told!)).toBeLessThanOrEqual(1000);
    expect(`E: ${message}`.startsWith(told!)).toBe(true);
    expect(await redis.hget(`${prefix}:feeds:${id}`, "failedReason")).toBe(`E: ${message}`);
  });

  describe("of one task", () => {
    const forget = (ids: readonly string[], queues: readonly string[] = ["feeds"]) => bench.stage.engine.queues.forget(ids, queues);

    test.each<[string, Outcome]>([
      ["a success", outcomes.succeeded],
      ["a failure", { type: "failed", failure: { name: "E", message: canary } }],
      ["a revocation", outcomes.revoked],
      ["a dead letter", outcomes.dead],
    ])("goes when it is forgotten: %s", async (_, outcome) => {
      const consumer = consume({});
      const ids = await end(consumer, 3, outcome);
      expect(await isLeft()).toBe(true);
      expect(await forget([...ids, newId()])).toEqual(["gone", "gone", "gone", "gone"]);
      expect(await bench.broker.redis.keys(`${bench.broker.prefix}:feeds:*-*-*`)).toEqual([]);
      for (const field of ["completed", "failed", "deadLetters"] as const) expect(await counted(field)).toBe(0);
      const events = await bench.broker.redis.xrange(`${bench.broker.prefix}:feeds:events`, "-", "+");
      expect(JSON.stringify(events)).not.toContain(canary);
      expect(await forget(ids)).toEqual(["gone", "gone", "gone"]);
    });

    test("goes from queues that nobody names, and what has not ended stays", async () => {
      const consumer = consume({});
      await end(consumer, 1);
      const [waiting, running] = [newId(), newId()];
      await bench.stage.send({ queue: "feeds", message: messageOf({ id: running }) });
      const deliveries = await take(consumer, 1);
      await bench.stage.send({ queue: "feeds", message: messageOf({ id: waiting }) });
      const [ended] = await set("completed");
      expect(await forget([ended!, waiting, running], [])).toEqual(["gone", "waiting", "running"]);
      await settle(consumer, deliveries, outcomes.succeeded);
      expect(await forget([running], ["other"])).toEqual(["gone"]);
      expect(await set("completed")).toEqual([]);
    });

    test.each([
      ["waits", "waiting", {}],
      ["has a priority", "waiting", { priority: 3 }],
      ["is not due", "delayed", { eta: Date.now() + 3_600_000 }],
    ])("goes with its message when it was revoked before it was taken and %s", async (_, place, fields) => {
      const { redis, prefix } = bench.broker;
      const ids = [newId(), newId(), newId()];
      await bench.stage.send(...ids.map((id) => ({ queue: "feeds", message: messageOf({ id, args: [canary], ...fields }) })));
      await bench.stage.engine.queues.revoke(ids.slice(0, 2), ["feeds"], { reason: "by request", terminate: false });
      expect(await forget(ids)).toEqual(["gone", "gone", "waiting"]);
      expect(await redis.exists(`${prefix}:feeds:${ids[0]}`, `${prefix}:feeds:${ids[1]}`)).toBe(0);
      expect((await bench.stage.engine.queues.counts(["feeds"]))[0]).toMatchObject({ [place]: 1 });
    });

    test("stays while it runs, though it was revoked", async () => {
      const consumer = consume({});
      const id = newId();
      await bench.stage.send({ queue: "feeds", message: messageOf({ id, args: [canary] }) });
      const deliveries = await take(consumer, 1);
      await bench.stage.engine.queues.revoke([id], ["feeds"], { reason: "by request", terminate: false });
      expect(await forget([id])).toEqual(["running"]);
      await settle(consumer, deliveries, outcomes.revoked);
      expect(await forget([id])).toEqual(["gone"]);
      expect(await isLeft()).toBe(false);
    });
  });
});
