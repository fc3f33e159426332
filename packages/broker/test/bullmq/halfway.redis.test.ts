import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { queueKey } from "../../src/redis/keys.js";
import { numbered, outcomes, settlementOf } from "../ports/messages.js";
import { take } from "../ports/waiting.js";
import { openBench, type Bench } from "./bench.js";

/** Somebody has put other things under the keys of a queue. */
describe("an exchange that cannot do all", () => {
  let bench: Bench;
  let prefix: string;

  beforeEach(() => {
    bench = openBench();
    prefix = queueKey(bench.broker.prefix, "feeds");
  });

  afterEach(() => bench.close());

  async function spoil(key: string): Promise<void> {
    await bench.broker.redis.del(prefix + key);
    await bench.broker.redis.set(prefix + key, "not what it was");
  }

  test.each([
    ["succeeded", outcomes.succeeded, "completed"],
    ["failed", outcomes.failed, "failed"],
    ["buried", outcomes.dead, "failed"],
  ] as const)("settles those whose jobs are sound: %s", async (_, outcome, target) => {
    const consumer = bench.worker();
    await bench.stage.send(...numbered("feeds", 3));
    const deliveries = await take(consumer, 3);
    await spoil(deliveries[1]!.id);
    const settle = deliveries.map((delivery) => settlementOf(delivery, outcome));
    expect((await consumer.settleAndTake({ settle, take: 0 })).settled).toEqual(["settled", "again", "settled"]);
    // It stays on loan until its worker gives it up; then it is taken off, as nobody can run it.
    expect((await consumer.settleAndTake({ settle: [settle[1]!], take: 0 })).settled).toEqual(["again"]);
    expect(await bench.stage.counts("feeds")).toMatchObject({ active: 1, [target]: 2 });
    await bench.broker.redis.del(`${prefix}${deliveries[1]!.id}:lock`);
    for (let scan = 0; scan < 2; scan++) {
      await bench.broker.redis.del(`${prefix}stalled-check`);
      expect(await consumer.recover()).toBe(0);
    }
    expect(await bench.stage.counts("feeds")).toMatchObject({ waiting: 0, active: 0, [target]: 2 });
  });

  test.each(["active", "events", "meta"])("settles nothing, and keeps the loans, while it cannot settle any: %s", async (key) => {
    const consumer = bench.worker();
    await bench.stage.send(...numbered("feeds", 2));
    const deliveries = await take(consumer, 2);
    const kept = `${prefix}kept-${key}`;
    await bench.broker.redis.rename(prefix + key, kept);
    await spoil(key);
    const settle = deliveries.map((delivery) => settlementOf(delivery));
    expect((await consumer.settleAndTake({ settle, take: 0 })).settled).toEqual(["again", "again"]);
    expect(await consumer.renew(deliveries)).toMatchObject({ lost: [] });
    await bench.broker.redis.rename(kept, prefix + key);
    expect((await consumer.settleAndTake({ settle, take: 0 })).settled).toEqual(["settled", "settled"]);
    expect(await bench.stage.counts("feeds")).toMatchObject({ active: 0, completed: 2 });
  });

  test("takes those whose jobs are sound", async () => {
    const consumer = bench.worker();
    const sent = numbered("feeds", 3);
    await bench.stage.send(...sent);
    await spoil(sent[1]!.message.id);
    expect((await take(consumer, 3)).map(({ id }) => id)).toEqual([sent[0]!.message.id, sent[2]!.message.id]);
    expect(await bench.stage.counts("feeds")).toMatchObject({ waiting: 0, active: 3 });
  });

  test("counts the ends of a message that a tool sent round again", async () => {
    const consumer = bench.worker();
    await bench.stage.send(...numbered("feeds", 1));
    for (const ends of [1, 2, 3]) {
      const [delivery] = await take(consumer, 1);
      expect(delivery).toMatchObject({ number: ends, endedBefore: ends - 1 });
      await consumer.settleAndTake({ settle: [settlementOf(delivery!, outcomes.failed)], take: 0 });
      const job = await bench.queue.getJob(delivery!.id);
      expect(job).toMatchObject({ attemptsMade: ends, attemptsStarted: ends });
      await job!.retry();
    }
  });
});
