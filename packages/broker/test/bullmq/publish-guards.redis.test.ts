import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { eventually } from "../../../../integration/lib/eventually.js";
import { contentOf, messageOf, numbered, settlementOf } from "../ports/messages.js";
import type { BrokerFacets } from "../../src/ports/engine.js";
import { take, takeOne } from "../ports/waiting.js";
import { openProxy, type Proxy } from "../../../../integration/lib/proxy.js";
import { openBroker, type RedisBroker } from "./broker.js";
import { deadPort } from "../redis/private-redis.js";

const secret = "canary-5ecret";

describe("publishing, when the way to Redis fails", () => {
  let broker: RedisBroker;
  let proxy: Proxy;

  beforeEach(async () => {
    broker = openBroker();
    proxy = await openProxy(broker.url);
  });

  afterEach(async () => {
    await broker.close();
    await proxy.close();
  });

  /** A producer behind the proxy, that has sent something already, so that its scripts are loaded. */
  async function producer(options: Parameters<RedisBroker["connect"]>[0] = {}): Promise<BrokerFacets> {
    const engine = broker.connect({ location: proxy.url, ...options });
    const warm = [messageOf(), messageOf({ priority: 1 })].map((message) => ({ queue: "warm", message }));
    expect(await engine.queues.publish(warm)).toEqual([undefined, undefined]);
    return engine;
  }

  const all = (queue: string) =>
    take(broker.connect().consume({ queues: [{ name: queue }], order: "strict", lease: 30_000, worker: "w" }), 1000);

  async function refusalOf(engine: BrokerFacets): Promise<{ message: string; id: string }> {
    const message = messageOf({ args: [secret] });
    const [error] = await engine.queues.publish([{ queue: "feeds", message }]);
    expect(error).toMatchObject({ code: "BROKER_UNAVAILABLE" });
    expect(inspect(error, { depth: 10, showHidden: true })).not.toContain(secret);
    return { message: error?.message ?? "", id: message.id };
  }

  test("a port on which nobody listens: an error by the deadline, that names task and host and not the password", async () => {
    const port = deadPort;
    const engine = broker.connect({ location: `redis://ann:${secret}@127.0.0.1:${port}/1`, deadline: 500 });
    const { message, id } = await refusalOf(engine);
    expect(message).toContain(id);
    expect(message).toContain(`redis://127.0.0.1:${port}/1`);
    expect(message).toContain("500 ms");
    expect(message).toContain("ECONNREFUSED");
  });

  test("a host that accepts and says nothing: an error by the deadline", async () => {
    proxy.blackhole({ alsoNew: true });
    await refusalOf(broker.connect({ location: proxy.url, deadline: 500 }));
  });

  test.each(["info", "cluster"])(
    "a connection that falls silent while it is looked at (%s): a fresh one takes its place",
    async (question) => {
      const lost = proxy.loseReply(question);
      expect(await broker.connect({ location: proxy.url }).queues.publish(numbered("feeds", 1))).toEqual([undefined]);
      await lost;
      await eventually("the silent connection is closed", () => proxy.connections() === 1);
    },
  );

  test("a connection and a host that fall silent: an error by the deadline", async () => {
    const engine = await producer({ deadline: 500 });
    proxy.blackhole({ alsoNew: true });
    await refusalOf(engine);
  });

  test("a connection that fell silent while idle: the first call is confirmed, over a fresh one, and marked", async () => {
    const engine = await producer();
    proxy.blackhole();
    const messages = [messageOf(), messageOf({ priority: 1 })];
    expect(await engine.queues.publish(messages.map((message) => ({ queue: "feeds", message })))).toEqual([undefined, undefined]);
    expect((await all("feeds")).map(contentOf)).toEqual(messages.map((message) => ({ ...message, resent: true })));
    await eventually("the silent connection is closed", () => proxy.connections() === 1);
  });

  test("each of several calls has its own deadline", async () => {
    const port = deadPort;
    const engine = broker.connect({ location: `redis://127.0.0.1:${port}`, deadline: 400 });
    await Promise.all([refusalOf(engine), refusalOf(engine)]);
    await refusalOf(engine);
  });

  test("an outage shorter than the deadline is got over, from the first call on", async () => {
    proxy.refuse();
    const engine = broker.connect({ location: proxy.url });
    const published = engine.queues.publish(numbered("feeds", 3));
    await eventually("attempt to connect", () => proxy.refused() > 1);
    proxy.pass();
    expect(await published).toEqual([undefined, undefined, undefined]);
    expect(await all("feeds")).toHaveLength(3);
  });

  test("whatever of ioredis's own limits a user sets, an outage is got over", async () => {
    const engine = await producer({
      location: {
        url: proxy.url,
        maxRetriesPerRequest: 0,
        retryStrategy: () => null,
        enableOfflineQueue: false,
        autoResendUnfulfilledCommands: true,
        connectTimeout: 1,
        commandTimeout: 1,
        socketTimeout: 1,
        lazyConnect: false,
      },
    });
    proxy.refuse();
    proxy.reset();
    const published = engine.queues.publish(numbered("feeds", 1));
    await eventually("attempt to connect", () => proxy.refused() > 1);
    proxy.pass();
    expect(await published).toEqual([undefined]);
  });

  test("a connection that was reset while idle is made anew", async () => {
    const engine = await producer();
    for (let round = 1; round <= 5; round++) {
      proxy.reset();
      expect(await engine.queues.publish(numbered("feeds", 1))).toEqual([undefined]);
      expect(await engine.queues.counts(["feeds"])).toMatchObject([{ waiting: round }]);
    }
  });

  test("connections that are reset again and again lose nothing and double nothing", async () => {
    const engine = await producer();
    const messages = numbered("feeds", 300);
    const published = Promise.all(messages.map((message) => engine.queues.publish([message])));
    for (let round = 0; round < 10; round++) {
      await eventually("connection", () => proxy.connections() > 0);
      proxy.reset();
    }
    expect((await published).flat()).toEqual(messages.map(() => undefined));
    const ids = (await all("feeds")).map(({ id }) => id);
    expect(ids.toSorted()).toEqual(messages.map(({ message }) => message.id).toSorted());
  });

  test("a lost reply: one message, whatever is sent again", async () => {
    const engine = await producer();
    const message = messageOf();
    const lost = proxy.loseReply(message.id);
    const published = engine.queues.publish([{ queue: "feeds", message }]);
    await lost;
    proxy.reset();
    expect(await published).toEqual([undefined]);
    expect((await all("feeds")).map(contentOf)).toEqual([message]);
  });

  test.each([0, 3])("a lost reply to a message that is done and removed by now: sent again, and marked (priority %d)", async (priority) => {
    const engine = await producer();
    const [kept, removed] = [messageOf({ priority }), messageOf({ args: [{ a: "é" }], priority })];
    const lost = proxy.loseReply(removed.id);
    const published = engine.queues.publish([
      { queue: "kept", message: kept },
      { queue: "feeds", message: removed },
    ]);
    await lost;
    const consumer = broker.connect().consume({ queues: [{ name: "feeds" }], order: "strict", lease: 30_000, worker: "w" });
    await consumer.settleAndTake({ settle: [settlementOf(await takeOne(consumer))], take: 0 });
    await broker.redis.del(`${broker.prefix}:feeds:${removed.id}`, `${broker.prefix}:feeds:completed`);
    proxy.reset();
    expect(await published).toEqual([undefined, undefined]);
    expect((await all("feeds")).map(contentOf)).toEqual([{ ...removed, resent: true }]);
    // That one was there still.
    expect((await all("kept")).map(contentOf)).toEqual([kept]);
  });

  test("a lost reply on a connection that stays silent: confirmed over a fresh one, and there once", async () => {
    const engine = await producer();
    const message = messageOf();
    const lost = proxy.loseReply(message.id);
    expect(await engine.queues.publish([{ queue: "feeds", message }])).toEqual([undefined]);
    await lost;
    expect((await all("feeds")).map(({ id }) => id)).toEqual([message.id]);
  });

  test("a lost reply, and a host that is silent from then on: not confirmed, and there all the same", async () => {
    const engine = await producer({ deadline: 500 });
    const message = messageOf();
    const lost = proxy.loseReply(message.id).then(() => proxy.blackhole({ alsoNew: true }));
    const [error] = await engine.queues.publish([{ queue: "feeds", message }]);
    await lost;
    expect(error).toMatchObject({ code: "BROKER_UNAVAILABLE" });
    expect((await all("feeds")).map(({ id }) => id)).toEqual([message.id]);
  });

  test("closing does not wait for a Redis that is not there, and ends what waits", async () => {
    proxy.blackhole({ alsoNew: true });
    const engine = broker.connect({ location: proxy.url, deadline: 600_000 });
    const published = engine.queues.publish(numbered("feeds", 1));
    await eventually("attempt to connect", () => proxy.connections() > 0);
    await engine.close();
    expect(await published).toMatchObject([{ code: "BROKER_UNAVAILABLE" }]);
    expect(await engine.queues.publish(numbered("feeds", 1))).toMatchObject([{ code: "BROKER_UNAVAILABLE" }]);
  });
});
