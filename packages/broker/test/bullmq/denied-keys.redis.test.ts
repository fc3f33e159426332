import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { isFaultOf } from "../../src/redis/refused.js";
import { redisResultBackend } from "../../src/redis/result-backend.js";
import { outcomes, settlementOf } from "../ports/messages.js";
import { take } from "../ports/waiting.js";
import { redisBinary, startRedis, type PrivateRedis } from "../redis/private-redis.js";
import { openBroker, type RedisBroker } from "./broker.js";

describe.skipIf(redisBinary === undefined)("a job whose parent lies where the worker has no rights", () => {
  let redis: PrivateRedis;
  let broker: RedisBroker;

  beforeEach(async () => {
    redis = await startRedis();
    broker = openBroker(redis.url);
  });

  afterEach(async () => {
    await broker.close();
    await redis.stop();
  });

  test("is refused for what it is itself: no right of the worker's is missing, and it ends as a dead letter", async () => {
    const queue = `${broker.prefix}:feeds:`;
    await redis.client.acl("SETUSER", "narrow", "on", ">secret", `~${broker.prefix}:*`, "~bullrush:*", "&*", "+@all");
    const url = redis.url.replace("//", "//narrow:secret@");
    const backend = redisResultBackend({ location: url });
    onTestFinished(() => backend.close());
    const consumer = broker
      .connect({ location: url, backend })
      .consume({ queues: [{ name: "feeds" }], order: "strict", lease: 30_000, worker: "narrow" });
    await consumer.open();
    const parent = JSON.stringify({ id: "1", queueKey: "other:q" });
    await redis.client.hset(`${queue}7`, { name: "mail", data: "{}", opts: "{}", timestamp: "1", parentKey: "other:q:1", parent });
    await redis.client.lpush(`${queue}wait`, "7");
    const [delivery] = await take(consumer, 1);
    const refused = await consumer.settleAndTake({ settle: [settlementOf(delivery!)], take: 0 });
    expect(refused).toMatchObject({ settled: ["again"], refusals: [expect.stringMatching(/key/)] });
    expect(refused.refused).toBeUndefined();
    expect(isFaultOf(delivery!, String(refused.refusals?.[0]))).toBe(true);
    expect(await consumer.settleAndTake({ settle: [settlementOf(delivery!, outcomes.dead)], take: 0 })).toMatchObject({
      settled: ["settled"],
    });
    expect(await redis.client.llen(`${queue}active`)).toBe(0);
  });
});
