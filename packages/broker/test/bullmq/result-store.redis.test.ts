import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { eventually } from "../../../../integration/lib/eventually.js";
import type { Consumer } from "../../src/ports/consumer.js";
import type { Delivery } from "../../src/ports/delivery.js";
import { replyChannel } from "../../src/protocol/reply-channel.js";
import { resultKey } from "../../src/redis/keys.js";
import { redisResultBackend } from "../../src/redis/result-backend.js";
import { describeExchanging } from "../ports/exchanging.js";
import { messageOf, numbered, outcomes, settlementOf, storeOf } from "../ports/messages.js";
import { stageOn, type Stage } from "../ports/stage.js";
import { take, takeOne } from "../ports/waiting.js";
import { redisBinary, startRedis, type PrivateRedis } from "../redis/private-redis.js";
import { openProxy } from "../../../../integration/lib/proxy.js";
import { openBroker, type RedisBroker } from "./broker.js";

describe.skipIf(redisBinary === undefined)("the results of an exchange", () => {
  let redis: PrivateRedis;
  let broker: RedisBroker;
  let stage: Stage;

  beforeEach(async () => {
    redis = await startRedis();
    broker = openBroker(redis.url, redisResultBackend({ location: `${redis.url}/3` }));
    stage = stageOn(broker);
  });

  afterEach(async () => {
    await broker.close();
    await redis.stop();
  });

  /** A worker that connects as `user`, who may do everything in the beginning. */
  async function workerAs(user: string): Promise<Consumer> {
    await redis.client.acl("SETUSER", user, "on", ">secret", "~*", "&*", "+@all");
    const url = redis.url.replace("//", `//${user}:secret@`);
    const backend = redisResultBackend({ location: `${url}/3` });
    onTestFinished(() => backend.close());
    await backend.open();
    const engine = broker.connect({ location: url, backend });
    return engine.consume({ queues: [{ name: "feeds" }], order: "round-robin", lease: 30_000, worker: "worker-b" });
  }

  async function delivered(consumer: Consumer): Promise<Delivery> {
    await stage.send({ queue: "feeds", message: messageOf() });
    return takeOne(consumer);
  }

  const settle = (consumer: Consumer, delivery: Delivery) =>
    consumer.settleAndTake({ settle: [{ ...settlementOf(delivery), store: storeOf(delivery.id) }], take: 0 });

  async function recordOf({ id }: Delivery): Promise<unknown> {
    return (await broker.backend.read([id]))[0];
  }

  test("are stored in its own call, in the database of the results", async () => {
    const consumer = stage.consume(["feeds"]);
    expect(await consumer.open()).toEqual([]);
    expect(consumer.storesInSettlement).toBe(true);
    const delivery = await delivered(consumer);
    await redis.client.config("RESETSTAT");
    expect(await settle(consumer, delivery)).toMatchObject({ settled: ["settled"] });
    expect(await redis.client.info("commandstats")).toMatch(/cmdstat_evalsha:calls=1,/);
    expect(await recordOf(delivery)).toMatchObject({ state: "SUCCESS" });
    expect(await redis.client.exists(resultKey(delivery.id))).toBe(0);
    expect(await stage.counts("feeds")).toMatchObject({ active: 0, completed: 1 });
  });

  test("are told to each client in one message, a line for each", async () => {
    const listener = new Redis(redis.url, { replyMapping: "legacy" });
    onTestFinished(() => listener.disconnect());
    const [one, other] = [replyChannel("one"), replyChannel("other")];
    const heard: [string, string][] = [];
    listener.on("message", (channel: string, payload: string) => heard.push([channel, payload]));
    await listener.subscribe(one, other);
    await stage.send(...numbered("feeds", 5));
    const consumer = stage.consume(["feeds"]);
    const deliveries = await take(consumer, 5);
    const large = "x".repeat(20_000);
    const requests = deliveries.map(({ id }, index) =>
      storeOf(id, { resultText: JSON.stringify(index === 2 ? large : index) }, { replyTo: index < 3 ? one : other }),
    );
    // One that is refused is not told.
    await broker.backend.store([storeOf(deliveries[4]!.id, { state: "REVOKED", reason: "by hand" })]);
    await consumer.settleAndTake({
      settle: deliveries.map((delivery, index) => ({ ...settlementOf(delivery), store: requests[index]! })),
      take: 0,
    });
    await eventually("notifications", () => heard.length >= 2);
    const line = (index: number) => `${requests[index]!.id}${requests[index]!.record}`;
    expect(Object.fromEntries(heard)).toEqual({ [one]: `${line(0)}\n${line(1)}\n${requests[2]!.id}`, [other]: line(3) });
    expect(heard).toHaveLength(2);
  });

  test("are stored by a call of their own for a user whose scripts may not tell of them, and a warning says so", async () => {
    const consumer = await workerAs("limited");
    await redis.client.acl("SETUSER", "limited", "-publish");
    expect(await consumer.open()).toEqual([expect.stringContaining("results are stored in calls of their own, which is slower: ")]);
    expect(consumer.storesInSettlement).toBe(false);
    const delivery = await delivered(consumer);
    expect(await settle(consumer, delivery)).toMatchObject({ settled: ["settled"] });
    expect(await recordOf(delivery)).toMatchObject({ state: "SUCCESS" });
  });

  test("are stored by a call of their own as soon as scripts may not select any more", async () => {
    const consumer = await workerAs("demoted");
    expect(await consumer.open()).toEqual([]);
    const delivery = await delivered(consumer);
    await redis.client.acl("SETUSER", "demoted", "-select");
    await expect(settle(consumer, delivery)).rejects.toMatchObject({ code: "REDIS_AUTH", details: { command: "select" } });
    expect(await stage.counts("feeds")).toMatchObject({ active: 1, completed: 0 });
    expect(await settle(consumer, delivery)).toMatchObject({ settled: ["settled"] });
    expect(consumer.storesInSettlement).toBe(false);
    expect(await recordOf(delivery)).toMatchObject({ state: "SUCCESS" });
  });

  test("are stored ahead when they are another server's", async () => {
    const elsewhere = await startRedis();
    onTestFinished(() => elsewhere.stop());
    const backend = redisResultBackend({ location: elsewhere.url });
    onTestFinished(() => backend.close());
    const consumer = broker
      .connect({ backend })
      .consume({ queues: [{ name: "feeds" }], order: "strict", lease: 30_000, worker: "worker-b" });
    expect(await consumer.open()).toEqual([]);
    expect(consumer.storesInSettlement).toBe(false);
    const delivery = await delivered(consumer);
    const settlement = { ...settlementOf(delivery), store: storeOf(delivery.id) };
    await consumer.store([settlement]);
    expect(await backend.read([delivery.id])).toMatchObject([{ state: "SUCCESS" }]);
    expect(await stage.counts("feeds")).toMatchObject({ active: 1 });
    // It was stored: the exchange does not ask for it again.
    await elsewhere.stop();
    expect(await consumer.settleAndTake({ settle: [settlement], take: 0 })).toMatchObject({ settled: ["settled"] });
  });

  test("take the place of what is none", async () => {
    const consumer = stage.consume(["feeds"]);
    const delivery = await delivered(consumer);
    const results = new Redis(`${redis.url}/3`, { replyMapping: "legacy" });
    onTestFinished(() => results.disconnect());
    await results.lpush(resultKey(delivery.id), "somebody else's");
    expect(await settle(consumer, delivery)).toMatchObject({ settled: ["settled"] });
    expect(await recordOf(delivery)).toMatchObject({ state: "SUCCESS" });
  });

  test("are stored, and their messages settled, when Redis is full", async () => {
    const consumer = stage.consume(["feeds"]);
    await stage.send(...numbered("feeds", 3));
    const deliveries = await take(consumer, 3);
    await redis.client.config("SET", "maxmemory", "1");
    const { settled } = await consumer.settleAndTake({
      settle: deliveries.map((delivery, index) => ({
        ...settlementOf(delivery, index === 2 ? outcomes.failed : outcomes.succeeded),
        store: storeOf(delivery.id),
      })),
      take: 0,
    });
    expect(settled).toEqual(["settled", "settled", "settled"]);
    expect(await Promise.all(deliveries.map(recordOf))).toMatchObject(deliveries.map(() => ({ state: "SUCCESS" })));
    expect(await stage.counts("feeds")).toMatchObject({ active: 0, completed: 2, failed: 1 });
  });

  test("are stored along too when Redis was full before the consumer was opened", async () => {
    await stage.send(...numbered("feeds", 1));
    await redis.client.config("SET", "maxmemory", "1");
    const consumer = stage.consume(["feeds"]);
    await consumer.open();
    expect(consumer.storesInSettlement).toBe(true);
    const [delivery] = await take(consumer, 1);
    expect(await settle(consumer, delivery!)).toMatchObject({ settled: ["settled"] });
    expect(await recordOf(delivery!)).toMatchObject({ state: "SUCCESS" });
  });

  test("are stored once when the reply is lost, and the message is settled once", async () => {
    const proxy = await openProxy(redis.url);
    onTestFinished(() => proxy.close());
    const backend = redisResultBackend({ location: `${proxy.url}/3` });
    onTestFinished(() => backend.close());
    const engine = broker.connect({ location: proxy.url, backend });
    const consumer = engine.consume({ queues: [{ name: "feeds" }], order: "round-robin", lease: 1500, worker: "worker-b" });
    await consumer.open();
    expect(consumer.storesInSettlement).toBe(true);
    const delivery = await delivered(consumer);
    const lost = proxy.loseReply(delivery.token);
    const settled = settle(consumer, delivery);
    await lost;
    expect(await settled).toMatchObject({ settled: ["settled"] });
    expect(await recordOf(delivery)).toMatchObject({ state: "SUCCESS" });
    expect(await stage.counts("feeds")).toMatchObject({ active: 0, completed: 1, failed: 0 });
  });

  describe("in another database:", () => {
    describeExchanging(() => stage);
  });
});
