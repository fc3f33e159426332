import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { eventually } from "../../../../integration/lib/eventually.js";
import type { Consumer } from "../../src/ports/consumer.js";
import { ownQueueKey } from "../../src/redis/keys.js";
import { redisResultBackend } from "../../src/redis/result-backend.js";
import { compileRetention, defaultRetention, type RetentionOptions } from "../../src/routing/retention.js";
import { flowOf, settlementOf as played } from "../ports/flow-play.js";
import { messageOf, numbered, outcomes, settlementOf, storeOf } from "../ports/messages.js";
import { stageOn, type Stage } from "../ports/stage.js";
import { take, takeOne } from "../ports/waiting.js";
import { redisBinary, startRedis } from "../redis/private-redis.js";
import { openBroker, type RedisBroker } from "./broker.js";

const wrongType = { code: "wrong-type", reason: expect.stringMatching(/^WRONGTYPE/) as string };

let broker: RedisBroker;
let stage: Stage;

beforeEach(() => {
  broker = openBroker();
  stage = stageOn(broker);
});

afterEach(() => broker.close());

const key = (queue: string, name: string) => `${broker.prefix}:${queue}:${name}`;

function keeping(retention: RetentionOptions, on: Stage = stage, queue = "feeds"): Consumer {
  return on.engine.consume({
    queues: [{ name: queue, retention: compileRetention(retention, defaultRetention(60_000)) }],
    order: "strict",
    lease: 30_000,
    worker: "keeper",
  });
}

describe("spoilt settings of one queue", () => {
  beforeEach(() => broker.redis.set(key("spoilt", "meta"), "planted"));

  test("keep no messages of others from being taken, and are told with the name of the queue", async () => {
    await stage.send(...numbered("sound", 3));
    const consumer = stage.consume(["spoilt", "sound"]);
    const first = await consumer.settleAndTake({ settle: [], take: 2 });
    expect(first.deliveries.map(({ queue }) => queue)).toEqual(["sound", "sound"]);
    expect(first.faults).toEqual([{ queue: "spoilt", refusal: wrongType, left: 0 }]);
    // At once: it is only the other that rests.
    expect(consumer.hasWork()).toBe(true);
    const second = await consumer.settleAndTake({ settle: first.deliveries.map((delivery) => settlementOf(delivery)), take: 1 });
    expect(second).toMatchObject({ settled: ["settled", "settled"], deliveries: [{ queue: "sound" }] });
    expect(second.faults).toBeUndefined();
  });

  test("keep no lost tasks of others from being found, and take back none that was found", async () => {
    await stage.send(...numbered("sound", 1));
    const consumer = stage.consume(["spoilt", "sound"], { scan: 1 });
    const { id } = await takeOne(consumer);
    for (const list of ["wait", "active"]) await broker.redis.rpush(key("spoilt", list), "1");
    await broker.redis.del(key("sound", `${id}:lock`));
    await eventually("lost task", async () => {
      await broker.redis.del(key("sound", "stalled-check"));
      return (await consumer.recover().catch(() => 0)) === 1;
    });
  });

  test("keep no leases of others from being renewed, nor does a spoilt lease", async () => {
    await broker.redis.del(key("spoilt", "meta"));
    await stage.send(...numbered("spoilt", 2), ...numbered("sound", 1));
    const consumer = stage.consume(["spoilt", "sound"]);
    const deliveries = await take(consumer, 3);
    const [bad, ...good] = deliveries.toSorted((a, b) => Number(b.queue === "spoilt") - Number(a.queue === "spoilt"));
    for (const { queue, id } of good) await broker.redis.pexpire(key(queue, `${id}:lock`), 20_000);
    await broker.redis.del(key("spoilt", `${bad!.id}:lock`), key("spoilt", "meta"));
    await broker.redis.rpush(key("spoilt", `${bad!.id}:lock`), "planted");
    await broker.redis.set(key("spoilt", "meta"), "planted");
    await consumer.renew([bad!, ...good]);
    for (const { queue, id } of good) expect(await broker.redis.pttl(key(queue, `${id}:lock`))).toBeGreaterThan(20_000);
  });
});

test("messages that were popped and cannot begin go back, and of those that are no jobs it is told how many wait for the scan", async () => {
  const [first, second] = numbered("feeds", 2);
  await stage.send(first!, second!);
  await broker.redis.del(key("feeds", "events"));
  await broker.redis.set(key("feeds", "events"), "planted");
  const consumer = stage.consume(["feeds"], { scan: 1 });
  expect(await consumer.settleAndTake({ settle: [], take: 5 })).toMatchObject({
    deliveries: [],
    faults: [{ queue: "feeds", refusal: wrongType, left: 0 }],
  });
  expect(await broker.redis.lrange(key("feeds", "wait"), 0, -1)).toHaveLength(2);
  expect(await broker.redis.exists(key("feeds", "active"), key("feeds", `${first!.message.id}:lock`))).toBe(0);
  await broker.redis.del(key("feeds", "events"), key("feeds", first!.message.id));
  await broker.redis.set(key("feeds", first!.message.id), "planted");
  const other = stage.consume(["feeds"], { scan: 1 });
  const told = await other.settleAndTake({ settle: [], take: 5 });
  expect(told.faults).toEqual([{ queue: "feeds", left: 1 }]);
  expect(told.deliveries.map(({ id }) => id)).toEqual([second!.message.id]);
  await eventually("stray off the active list", async () => {
    await broker.redis.del(key("feeds", "stalled-check"));
    await other.recover();
    return (await broker.redis.lpos(key("feeds", "active"), first!.message.id)) === null;
  });
});

test("a thousand ids that are no jobs stand in the way of one take, and not of more", async () => {
  const strays = Array.from({ length: 800 }, (_, number) => `stray-${number}`);
  const pipeline = broker.redis.pipeline();
  for (const id of strays) pipeline.set(key("feeds", id), "planted").zadd(key("feeds", "prioritized"), "0", id);
  await pipeline.exec();
  const message = messageOf({ priority: 5 });
  await stage.send({ queue: "feeds", message });
  expect(await take(stage.consume(["feeds"]), 1)).toMatchObject([{ id: message.id }]);
});

test("a parent's key of a million characters is read once, not once from each of them", async () => {
  await broker.redis.hset(key("feeds", "7"), { name: "mail", data: "{}", opts: "{}", timestamp: "1", parentKey: "a".repeat(1_000_000) });
  await broker.redis.lpush(key("feeds", "wait"), "7");
  const consumer = stage.consume(["feeds"]);
  const delivery = await takeOne(consumer);
  // Without an end of this call within its deadline, it rejects.
  expect(await consumer.settleAndTake({ settle: [settlementOf(delivery)], take: 0 })).toMatchObject({ deliveries: [] });
});

test("a set of lost tasks that many ids were planted in is begun anew, and what is lost is put back a scan later", async () => {
  await stage.send(...numbered("feeds", 1));
  const consumer = stage.consume(["feeds"], { scan: 1 });
  const { id } = await takeOne(consumer);
  await broker.redis.del(key("feeds", `${id}:lock`));
  const planted = Array.from({ length: 10_001 }, (_, number) => `stray-${number}`);
  await broker.redis.sadd(key("feeds", "stalled"), id, ...planted);
  await broker.redis.del(key("feeds", "stalled-check"));
  expect(await consumer.recover()).toBe(0);
  expect(await broker.redis.smembers(key("feeds", "stalled"))).toEqual([id]);
  await broker.redis.del(key("feeds", "stalled-check"));
  expect(await consumer.recover()).toBe(1);
});

test("of a list of crashes that somebody has planted, no more is counted than nobody comes to", async () => {
  await stage.send(...numbered("feeds", 1));
  const [id] = await broker.redis.lrange(key("feeds", "wait"), 0, 0);
  await broker.redis.hset(key("feeds", id!), { ats: "5", startedDeliveries: " 1 2".repeat(500_000) });
  expect(await take(stage.consume(["feeds"]), 1)).toEqual([expect.objectContaining({ id, crashes: 2048 })]);
});

describe("what is kept of what has ended", () => {
  const places: Record<string, () => string> = {
    completed: () => key("feeds", "completed"),
    failed: () => key("feeds", "failed"),
    deadLetters: () => `${ownQueueKey(broker.prefix, "feeds")}dead-letters`,
  };

  test.each(["0.5", "0"])("a planted id of the waiting list with the score %s goes, and the list stays", async (score) => {
    await stage.send(...numbered("feeds", 2));
    await broker.redis.zadd(key("feeds", "completed"), score, "wait");
    await keeping({ completed: { age: 1 } }).recover();
    expect(await broker.redis.zcard(key("feeds", "completed"))).toBe(0);
    expect(await broker.redis.llen(key("feeds", "wait"))).toBe(2);
  });

  test.each(Object.keys(places).flatMap((field) => ["inf", "-inf", "1e308", "-1e308"].map((score) => [field, score] as const)))(
    "a planted member of %s with the score %s keeps no task from being settled, counted and removed",
    async (field, score) => {
      const place = places[field]!();
      await broker.redis.zadd(place, score, "planted");
      const consumer = keeping({ completed: { count: 2 }, failed: { count: 2 }, deadLetter: { count: 2 } });
      const outcome = { completed: outcomes.succeeded, failed: outcomes.failed, deadLetters: outcomes.dead }[field]!;
      for (let round = 0; round < 4; round++) {
        await stage.send(...numbered("feeds", 1));
        const { settled } = await consumer.settleAndTake({ settle: [settlementOf(await takeOne(consumer), outcome)], take: 0 });
        expect(settled).toEqual(["settled"]);
      }
      await consumer.recover();
      expect(await broker.redis.zcard(place)).toBe(2);
      const counted = Number(await broker.redis.hget(`${ownQueueKey(broker.prefix, "feeds")}retained`, field));
      expect(counted).toBeGreaterThan(1000);
      expect(counted).toBeLessThan(10_000_000);
    },
  );

  test.each([
    ["a string", () => ["SET", "planted"]],
    ["a list", () => ["RPUSH", "planted"]],
  ] as const)("is bounded though its counts are %s by now", async (_, plant) => {
    const consumer = keeping({ completed: { count: 2 } });
    const counts = `${ownQueueKey(broker.prefix, "feeds")}retained`;
    await stage.send(...numbered("feeds", 5));
    const deliveries = await take(consumer, 5);
    await broker.redis.del(counts);
    const [command, value] = plant();
    await broker.redis.call(command as string, counts, value as string);
    await consumer.settleAndTake({ settle: deliveries.map((delivery) => settlementOf(delivery)), take: 0 });
    expect(await broker.redis.zcard(key("feeds", "completed"))).toBe(2);
    await consumer.recover();
    expect(Number(await broker.redis.hget(counts, "completed"))).toBeGreaterThan(1000);
  });

  test.skipIf(redisBinary === undefined)("goes with its age though one names a parent that the worker may not read", async () => {
    const redis = await startRedis();
    onTestFinished(() => redis.stop());
    const narrow = openBroker(redis.url);
    await redis.client.acl("SETUSER", "narrow", "on", ">secret", `~${narrow.prefix}:*`, "~bullrush:*", "&*", "+@all");
    const location = redis.url.replace("//", "//narrow:secret@");
    const backend = redisResultBackend({ location });
    onTestFinished(async () => {
      await backend.close();
      await narrow.close();
    });
    const consumer = keeping({ failed: { age: 1 } }, stageOn({ ...narrow, connect: () => narrow.connect({ location, backend }) }));
    const failed = `${narrow.prefix}:feeds:failed`;
    await redis.client.hset(`${narrow.prefix}:feeds:7`, { name: "mail", data: "{}", timestamp: "1", parentKey: "other:q:1" });
    await redis.client.zadd(failed, "1", "7", "2", "8");
    await consumer.recover();
    expect(await redis.client.zcard(failed)).toBe(0);
  });
});

describe("why a settlement was refused in a call of its own is told:", () => {
  test("a success whose lease had run out", async () => {
    await stage.send(...numbered("feeds", 2));
    const consumer = stage.consume(["feeds"]);
    const [bad, good] = await take(consumer, 2);
    for (const { id } of [bad!, good!]) await broker.redis.del(key("feeds", `${id}:lock`));
    await broker.redis.del(key("feeds", bad!.id));
    await broker.redis.set(key("feeds", bad!.id), "planted");
    const { settled, refusals } = await consumer.settleAndTake({ settle: [settlementOf(bad!), settlementOf(good!)], take: 0 });
    expect(settled).toEqual(["again", "settled"]);
    expect(refusals).toEqual([wrongType, undefined]);
  });

  test("a step of a flow for which another result was stored", async () => {
    const consumer = stage.consume(["feeds"]);
    await stage.engine.flows.begin(flowOf([{ task: "list", next: [["step", 1]] }, { task: "list" }]));
    const delivery = await takeOne(consumer);
    await broker.backend.store([storeOf(delivery.id, { delivery: 1, resultText: "1" })]);
    await broker.redis.set(key(delivery.queue, "completed"), "planted");
    const { settled, refusals } = await consumer.settleAndTake({ settle: [played(delivery)], take: 0 });
    expect(settled).toEqual(["again"]);
    expect(refusals).toEqual([wrongType]);
    await broker.backend.forget([delivery.id]);
  });
});
