import { inspect } from "node:util";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { eventually } from "../../../../integration/lib/eventually.js";
import { freePort } from "../../src/embedded/free-port.js";
import { redisScheduleStore } from "../../src/bullmq/schedules/schedule-store.js";
import { redisResultBackend } from "../../src/redis/result-backend.js";
import { compileRetention, defaultRetention } from "../../src/routing/retention.js";
import { argumentsOf, messageOf, numbered, outcomes, settlementOf } from "../ports/messages.js";
import { stageOn, type Stage } from "../ports/stage.js";
import { hear, take, takeOne } from "../ports/waiting.js";
import { redisBinary, startRedis, type PrivateRedis } from "../redis/private-redis.js";
import { openBroker, type RedisBroker } from "./broker.js";
import { contentsUnder } from "./contents.js";

const secret = "canary-5ecret";

if (redisBinary === undefined) console.log("skipped: tests of a Redis of their own, because PATH has no valkey-server and no redis-server");

describe.skipIf(redisBinary === undefined)("a Redis", () => {
  let redis: PrivateRedis;
  let broker: RedisBroker;
  let stage: Stage;

  beforeAll(async () => {
    redis = await startRedis();
  });

  afterAll(() => redis.stop());

  beforeEach(() => {
    broker = openBroker(redis.url, redisResultBackend({ location: redis.url }));
    stage = stageOn(broker);
  });

  afterEach(() => broker.close());

  /** What publishing, consuming and the result backend say of a Redis at `url`, before their deadline of 5 s. */
  async function refusalsOf(url: string): Promise<readonly unknown[]> {
    const engine = broker.connect({ location: url });
    const consumer = engine.consume({ queues: [{ name: "feeds" }], order: "strict", lease: 15_000, worker: "w" });
    const backend = redisResultBackend({ location: url });
    const caught = (call: Promise<unknown>) =>
      call.then(
        () => "no error",
        (error: unknown) => error,
      );
    const refusals = await Promise.all([
      engine.queues.publish([{ queue: "feeds", message: messageOf({ args: [secret] }) }]).then(([error]) => error),
      ...[consumer.open(), consumer.settleAndTake({ settle: [], take: 1 }), backend.open(), backend.subscribe(() => undefined)].map(caught),
    ]);
    await backend.close();
    for (const refusal of refusals) expect(inspect(refusal, { depth: 10, showHidden: true })).not.toContain(secret);
    return refusals;
  }

  const at = (userinfo: string, database = "0") => redis.url.replace("//", `//${userinfo}@`).concat(`/${database}`);

  describe("that refuses the user", () => {
    beforeEach(() =>
      redis.client.call("ACL", "SETUSER", "ann", "on", `>${secret}`, "~*", "&*", "+@all", "-evalsha", "-eval", "-subscribe"),
    );
    afterEach(() => redis.client.call("ACL", "DELUSER", "ann"));

    test("for a wrong password is told at once, with the user and without the password", async () => {
      for (const error of await refusalsOf(at(`ann:wrong-${secret}`))) {
        expect(error).toMatchObject({ code: "REDIS_AUTH", details: { user: "ann" } });
        expect((error as Error).message).toContain(`Redis at ${redis.url}/0 refused user "ann"`);
      }
    });

    test("because there is no such user, or no password was given", async () => {
      for (const error of await refusalsOf(at(`bob:${secret}`)))
        expect(error).toMatchObject({ code: "REDIS_AUTH", details: { user: "bob" } });
      await redis.client.config("SET", "requirepass", secret);
      try {
        for (const error of await refusalsOf(redis.url)) expect(error).toMatchObject({ code: "REDIS_AUTH", details: { user: "default" } });
      } finally {
        await redis.client.config("SET", "requirepass", "");
      }
    });

    test("for want of rights is told so", async () => {
      const [published] = await refusalsOf(at(`ann:${secret}`));
      expect(published).toMatchObject({ code: "REDIS_AUTH", details: { user: "ann" } });
      expect((published as Error).message).toMatch(/NOPERM/);
    });
  });

  describe("that lets its user run scripts, but not all that is in them,", () => {
    const without = (...rights: readonly string[]) =>
      redis.client.call("ACL", "SETUSER", "eve", "reset", "on", `>${secret}`, "~*", "&*", "+@all", ...rights);
    const open = () => broker.connect({ location: at(`eve:${secret}`) });
    afterEach(() => redis.client.call("ACL", "DELUSER", "eve"));

    test.each([
      ["lpush", 0],
      ["hset", 0],
      ["incrby", 0],
      ["zadd", 5],
      ["incr", 5],
    ])("refuses a message for want of %s, with the user and the command", async (command, priority) => {
      await without(`-${command}`);
      const [error] = await open().queues.publish([{ queue: "feeds", message: messageOf({ priority }) }]);
      expect(error).toMatchObject({ code: "REDIS_AUTH", details: { user: "eve", command } });
      expect(error?.message).toContain(`does not let user "eve" run the command ${command}`);
    });

    test.each(["lpush", "zrange", "hmget", "set"])("says when it takes that %s is missing", async (command) => {
      await stage.send(...numbered("feeds", 1));
      await without(`-${command}`);
      const consumer = open().consume({ queues: [{ name: "feeds" }], order: "strict", lease: 15_000, worker: "w" });
      const { refused, deliveries } = await consumer.settleAndTake({ settle: [], take: 1 });
      expect(deliveries).toEqual([]);
      expect(refused).toMatchObject({ code: "REDIS_AUTH", details: { user: "eve", command } });
    });

    test("is refused under the same code if it may not be asked what is missing", async () => {
      await without("-lpush", "-acl");
      const [error] = await open().queues.publish(numbered("feeds", 1));
      expect(error).toMatchObject({ code: "REDIS_AUTH", details: { user: "eve" } });
      expect(error?.message).toContain('does not let user "eve" run a command that it needs');
    });

    test("names the command of a script that fails as a whole", async () => {
      await without("-zrange", "-llen");
      await expect(open().queues.counts(["feeds"])).rejects.toMatchObject({
        code: "REDIS_AUTH",
        details: { user: "eve", command: "llen" },
      });
    });

    test("lets go on as soon as it is allowed", async () => {
      await without("-lpush");
      const engine = open();
      expect(await engine.queues.publish(numbered("feeds", 1))).toMatchObject([{ code: "REDIS_AUTH" }]);
      await without();
      expect(await engine.queues.publish(numbered("feeds", 1))).toEqual([undefined]);
    });
  });

  test("that answers with another error is not said to have been waited for", async () => {
    await redis.client.set(`${broker.prefix}:feeds:wait`, "a string");
    const [error] = await stage.engine.queues.publish(numbered("feeds", 1));
    expect(error).toMatchObject({ code: "BROKER_UNAVAILABLE" });
    expect(error?.message).toMatch(/answered with an error \(WRONGTYPE/);
  });

  test("that has no such database is told so", async () => {
    for (const error of await refusalsOf(`${redis.url}/99`)) expect(error).toMatchObject({ code: "REDIS_UNSUITABLE" });
  });

  describe("that is full", () => {
    const fill = () => redis.client.config("SET", "maxmemory", "1");
    const free = () => redis.client.config("SET", "maxmemory", "0");

    afterEach(free);

    test("refuses messages with BROKER_FULL, settles what runs, and takes messages again when there is room", async () => {
      await stage.send(...numbered("feeds", 5), { queue: "feeds", message: messageOf({ priority: 5, args: ["urgent"] }) });
      const consumer = stage.consume(["feeds"]);
      const deliveries = await take(consumer, 4);
      await fill();
      const errors = await stage.engine.queues.publish(numbered("feeds", 3));
      expect(errors).toMatchObject([{ code: "BROKER_FULL" }, { code: "BROKER_FULL" }, { code: "BROKER_FULL" }]);
      expect(errors[0]?.message).toContain(redis.url);
      const ends = [outcomes.succeeded, outcomes.failed, outcomes.requeued];
      const settle = ends.map((outcome, index) => settlementOf(deliveries[index]!, outcome));
      expect(await consumer.settleAndTake({ settle, take: 0 })).toMatchObject({ settled: ["settled", "settled", "settled"] });
      await free();
      await stage.send({ queue: "feeds", message: messageOf({ args: ["after"] }) });
      expect(argumentsOf(await hear(consumer, 4))).toEqual([2, 4, "after", "urgent"]);
    });

    test("takes a call whole or not at all, whatever its queues", async () => {
      const calls = ["feeds", "mails", "feeds"].flatMap((queue) => [0, 4].map((priority) => ({ queue, message: messageOf({ priority }) })));
      await stage.send(...calls);
      const before = await contentsUnder(broker.redis, broker.prefix);
      await fill();
      const fresh = calls.map(({ queue, message }) => ({ queue, message: messageOf({ priority: message.priority }) }));
      expect(await stage.engine.queues.publish(fresh)).toMatchObject(fresh.map(() => ({ code: "BROKER_FULL" })));
      expect(await contentsUnder(broker.redis, broker.prefix)).toEqual(before);
    });

    // Scripts delete before they write, and a full Redis refuses a script's first write, never a later one.
    test("gives messages all the same, so that what is queued can be worked off", async () => {
      await stage.send(...numbered("feeds", 2));
      const consumer = stage.consume(["feeds"]);
      await fill();
      const [delivery] = await take(consumer, 1);
      expect(await consumer.settleAndTake({ settle: [settlementOf(delivery!)], take: 0 })).toMatchObject({ settled: ["settled"] });
      await free();
      expect(await hear(consumer, 1)).toHaveLength(1);
      expect(await stage.counts("feeds")).toMatchObject({ waiting: 0, active: 1, completed: 1 });
    });

    test("is rid of what is too old in all queues, while nothing new can be written", async () => {
      const queues = ["feeds", "mails"].map((name) => ({
        name,
        retention: compileRetention({ completed: { age: name === "mails" ? 1 : "1d" } }, defaultRetention(60_000)),
      }));
      const consumer = stage.engine.consume({ queues, order: "round-robin", lease: 15_000, worker: "keeper" });
      await stage.send(...numbered("feeds", 1), ...numbered("mails", 1));
      const settle = (await take(consumer, 2)).map((delivery) => settlementOf(delivery));
      await consumer.settleAndTake({ settle, take: 0 });
      await fill();
      await eventually("look that removes it", async () => {
        await consumer.recover().catch(() => undefined);
        return (await stage.counts("mails")).completed === 0;
      });
      expect(await stage.counts("feeds")).toMatchObject({ completed: 1 });
    });

    test("buries too", async () => {
      await stage.send(...numbered("feeds", 1));
      const consumer = stage.consume(["feeds"]);
      const delivery = await takeOne(consumer);
      await fill();
      const { settled } = await consumer.settleAndTake({ settle: [settlementOf(delivery, outcomes.dead)], take: 0 });
      expect(settled).toEqual(["settled"]);
      expect(await stage.counts("feeds")).toMatchObject({ active: 0, failed: 1 });
    });
  });

  describe("that is a replica for a moment", () => {
    const demote = async () => redis.client.call("REPLICAOF", "127.0.0.1", String(await freePort()));
    const promote = () => redis.client.call("REPLICAOF", "NO", "ONE");

    afterEach(promote);

    test("gets the message when it is a primary again", async () => {
      await stage.send(...numbered("feeds", 1));
      await demote();
      const published = stage.engine.queues.publish(numbered("feeds", 1));
      await refusedWrites(1);
      await promote();
      expect(await published).toEqual([undefined]);
    });

    test("is not what a worker stays connected to", async () => {
      await stage.send(...numbered("feeds", 2));
      const consumer = stage.consume(["feeds"]);
      const delivery = await takeOne(consumer);
      const before = await connectionsOf("bullrush:worker-a");
      await demote();
      const exchanged = consumer.settleAndTake({ settle: [settlementOf(delivery)], take: 1 });
      await refusedWrites(1);
      await promote();
      const again = await exchanged;
      if (again.settled[0] === "again") await consumer.settleAndTake({ settle: [settlementOf(delivery)], take: 0 });
      expect(await stage.counts("feeds")).toMatchObject({ completed: 1 });
      expect(await connectionsOf("bullrush:worker-a")).not.toEqual(before);
    });

    /** Waits until Redis has refused that many writes. */
    async function refusedWrites(count: number): Promise<void> {
      await redis.client.config("RESETSTAT");
      await eventually("refusal to write", async () => {
        const [, errors = "0"] = /errorstat_READONLY:count=(\d+)/.exec(await redis.client.info("errorstats")) ?? [];
        return Number(errors) >= count;
      });
    }

    /** The ids of the connections of that name. */
    async function connectionsOf(name: string): Promise<readonly string[]> {
      const list = String(await redis.client.client("LIST"));
      return list.split("\n").flatMap((line) => (line.includes(`name=${name} `) ? (/^id=(\d+)/.exec(line)?.[1] ?? []) : []));
    }
  });

  test.each(["allkeys-lru", "volatile-ttl"])(
    "that evicts keys by %s is refused, unless that is allowed: then it is warned of",
    async (policy) => {
      const consume = (allowEviction: boolean) =>
        stage.engine.consume({ queues: [{ name: "feeds" }], order: "strict", lease: 15_000, worker: "w", allowEviction });
      const schedules = redisScheduleStore({ location: redis.url, prefix: broker.prefix });
      expect(await consume(false).open()).toEqual([]);
      expect(await schedules.open({ allowEviction: false })).toEqual([]);
      await redis.client.config("SET", "maxmemory-policy", policy);
      try {
        const refused = { code: "REDIS_UNSUITABLE", message: expect.stringMatching(new RegExp(`${policy}.*noeviction.*--allow-eviction`)) };
        await expect(consume(false).open()).rejects.toMatchObject(refused);
        await expect(schedules.open({ allowEviction: false })).rejects.toMatchObject(refused);
        const warned = [expect.stringMatching(new RegExp(`${policy}.*noeviction`))];
        expect(await consume(true).open()).toEqual(warned);
        expect(await schedules.open({ allowEviction: true })).toEqual(warned);
      } finally {
        await schedules.close();
        await redis.client.config("SET", "maxmemory-policy", "noeviction");
      }
    },
  );
});

describe.skipIf(redisBinary === undefined)("a node of a Redis Cluster", () => {
  test("is refused by all who connect to it", async () => {
    const redis = await startRedis(["--cluster-enabled", "yes", "--cluster-port", String(await freePort())]);
    const backend = redisResultBackend({ location: redis.url });
    const broker = openBroker(redis.url, backend);
    try {
      const engine = broker.connect();
      const consumer = engine.consume({ queues: [{ name: "feeds" }], order: "strict", lease: 15_000, worker: "w" });
      const calls = [
        consumer.open(),
        consumer.settleAndTake({ settle: [], take: 1 }),
        backend.open(),
        backend.subscribe(() => undefined),
        engine.queues.counts(["feeds"]),
      ];
      const refused = await Promise.all(calls.map((call) => call.catch((error: unknown) => error)));
      for (const error of [...refused, ...(await engine.queues.publish(numbered("feeds", 1)))]) {
        expect(error).toMatchObject({ code: "CLUSTER_UNSUPPORTED", details: { url: `${redis.url}/0` } });
      }
    } finally {
      await broker.close();
      await redis.stop();
    }
  });
});
