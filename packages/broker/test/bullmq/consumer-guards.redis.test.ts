import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { eventually } from "../../../../integration/lib/eventually.js";
import type { BrokerFacets } from "../../src/ports/engine.js";
import type { Consumer, ConsumeOptions } from "../../src/ports/consumer.js";
import { messageOf, numbered, outcomes, settlementOf, storeOf } from "../ports/messages.js";
import { stageOn, type Stage } from "../ports/stage.js";
import { hear, take, takeOne } from "../ports/waiting.js";
import { openProxy, type Proxy } from "../../../../integration/lib/proxy.js";
import { openBroker, type RedisBroker } from "./broker.js";

/** In ms. A connection is dead after a third of it. */
const lease = 1500;

describe("consuming, when the way to Redis fails", () => {
  let broker: RedisBroker;
  let stage: Stage;
  let proxy: Proxy;

  beforeEach(async () => {
    broker = openBroker();
    stage = stageOn(broker);
    proxy = await openProxy(broker.url);
  });

  afterEach(async () => {
    await broker.close();
    await proxy.close();
  });

  /** A worker behind the proxy. */
  function worker(options: Partial<ConsumeOptions> = {}, engine: BrokerFacets = broker.connect({ location: proxy.url })): Consumer {
    return engine.consume({ queues: [{ name: "feeds" }], order: "round-robin", lease, worker: "worker-a", ...options });
  }

  const send = () => stage.send({ queue: "feeds", message: messageOf() });

  test("a reset connection is made anew: the worker hears again, and takes and settles", async () => {
    const consumer = worker();
    for (let round = 0; round < 3; round++) {
      expect(await take(consumer, 1)).toEqual([]);
      const heard = hear(consumer, 1);
      proxy.reset();
      await send();
      const [delivery] = await heard;
      proxy.reset();
      expect(await consumer.renew([delivery!])).toMatchObject({ lost: [] });
      proxy.reset();
      expect(await consumer.settleAndTake({ settle: [settlementOf(delivery!)], take: 0 })).toMatchObject({ settled: ["settled"] });
    }
  });

  test("a connection that falls silent is noticed and made anew: the worker hears again", async () => {
    const consumer = worker();
    expect(await take(consumer, 1)).toEqual([]);
    const heard = hear(consumer, 1);
    await eventually("both connections", () => proxy.connections() === 2);
    proxy.blackhole();
    await send();
    expect(await heard).toHaveLength(1);
  });

  test("a wait that nothing ends outlasts neither the connection's patience nor the deadline for answers", async () => {
    const troubles: string[] = [];
    const engine = broker.connect({ location: proxy.url, deadline: 200, onConnectionError: (reason) => troubles.push(reason) });
    const consumer = worker({ lease: 6000 }, engine);
    expect(await take(consumer, 1)).toEqual([]);
    for (let round = 0; round < 2; round++) await consumer.wait();
    expect(consumer.hasWork()).toBe(false);
    expect(troubles).toEqual([]);
    const heard = hear(consumer, 1);
    await send();
    expect(await heard).toHaveLength(1);
  });

  test("whatever of ioredis's own limits a user sets, a wait is not broken off", async () => {
    const location = { url: proxy.url, commandTimeout: 50, socketTimeout: 50, blockingTimeout: 50, maxRetriesPerRequest: 1 };
    const consumer = worker({}, broker.connect({ location }));
    expect(await take(consumer, 1)).toEqual([]);
    const since = Date.now();
    await consumer.wait();
    expect(Date.now() - since).toBeGreaterThanOrEqual(200);
  });

  describe("a lost reply", () => {
    test("to a take: the message comes again at once, long before its lease is over, and that was no crash", async () => {
      await send();
      const consumer = worker({ worker: "worker-of-the-lost-reply", lease: 3_600_000 });
      await consumer.renew([
        {
          queue: "feeds",
          id: "none",
          number: 1,
          endedBefore: 0,
          crashes: 0,
          token: "none",
          content: { type: "message", message: messageOf() },
        },
      ]);
      const lost = proxy.loseReply("worker-of-the-lost-reply");
      const exchanged = consumer.settleAndTake({ settle: [], take: 1 });
      await lost;
      proxy.reset();
      const [delivery] = (await exchanged).deliveries;
      expect(delivery).toMatchObject({ number: 2, crashes: 0 });
      expect(await consumer.settleAndTake({ settle: [settlementOf(delivery!)], take: 0 })).toMatchObject({ settled: ["settled"] });
      expect(await stage.counts("feeds")).toEqual({ waiting: 0, delayed: 0, active: 0, completed: 1, failed: 0 });
    });

    test("to a take, on a connection that stays silent: a fresh one puts back what it took, and takes it under another token", async () => {
      await stage.send(...numbered("feeds", 3));
      const consumer = worker({ worker: "worker-of-the-lost-reply", lease: 3_600_000 });
      await consumer.recover();
      const lost = proxy.loseReply("worker-of-the-lost-reply");
      const exchanged = consumer.settleAndTake({ settle: [], take: 2 });
      await lost;
      const { deliveries } = await exchanged;
      expect(deliveries).toHaveLength(2);
      for (const delivery of deliveries) expect(delivery).toMatchObject({ number: 2, crashes: 0 });
      expect(await stage.counts("feeds")).toMatchObject({ waiting: 1, active: 2 });
      const settle = deliveries.map((delivery) => settlementOf(delivery));
      expect((await consumer.settleAndTake({ settle, take: 0 })).settled).toEqual(["settled", "settled"]);
    });

    test("to a take, for good: what it took comes with the next one, of several queues, and what others have stays theirs", async () => {
      await stage.send(...numbered("feeds", 3), ...numbered("news", 2));
      const queues = [{ name: "feeds" }, { name: "news" }];
      const other = worker({ worker: "other", queues, lease: 60_000 }, broker.connect());
      const theirs = await take(other, 2);
      const consumer = worker({ worker: "worker-of-the-lost-reply", queues, lease: 3_600_000 }, broker.connect({ location: proxy.url }));
      await consumer.recover();
      const lost = proxy.loseReply("worker-of-the-lost-reply");
      const exchanged = consumer.settleAndTake({ settle: [], take: 3 });
      await lost;
      proxy.blackhole({ alsoNew: true });
      await expect(exchanged).rejects.toMatchObject({ code: "BROKER_UNAVAILABLE" });
      for (const queue of ["feeds", "news"]) expect(await stage.counts(queue)).toMatchObject({ waiting: 0 });
      proxy.heal();
      const deliveries = await take(consumer, 5);
      expect(deliveries).toHaveLength(3);
      for (const delivery of deliveries) expect(delivery).toMatchObject({ number: 2, crashes: 0 });
      expect(await other.renew(theirs)).toEqual({ lost: [], revoked: [] });
    });

    test("to a look that found nothing, for good: the worker looks again, for the look may have removed a marker", async () => {
      const consumer = worker({ worker: "worker-of-the-lost-reply", lease: 3_600_000 }, broker.connect({ location: proxy.url }));
      expect(await take(consumer, 1)).toEqual([]);
      expect(consumer.hasWork()).toBe(false);
      const lost = proxy.loseReply("worker-of-the-lost-reply");
      const exchanged = consumer.settleAndTake({ settle: [], take: 1 });
      await lost;
      proxy.blackhole({ alsoNew: true });
      await expect(exchanged).rejects.toMatchObject({ code: "BROKER_UNAVAILABLE" });
      proxy.heal();
      expect(consumer.hasWork()).toBe(true);
    });

    test.each(Object.entries(outcomes))("to a settlement: it is settled, once: %s", async (_, outcome) => {
      await stage.send(...numbered("feeds", 2));
      const consumer = worker();
      const [first, second] = await take(consumer, 2);
      const lost = proxy.loseReply(first!.token);
      const store = storeOf(first!.id, { resultText: "1" });
      const exchanged = consumer.settleAndTake({ settle: [{ ...settlementOf(first!, outcome), store }, settlementOf(second!)], take: 0 });
      await lost;
      const before = await stage.counts("feeds");
      proxy.reset();
      expect((await exchanged).settled).toEqual(["settled", "settled"]);
      expect(await stage.counts("feeds")).toEqual(before);
      expect(await broker.backend.read([first!.id])).toMatchObject([{ result: 1 }]);
      await broker.backend.forget([first!.id]);
    });

    test("to a settlement with a take: what was settled stays settled, and tokens are never used twice", async () => {
      await stage.send(...numbered("feeds", 3));
      const consumer = worker();
      const [first] = await take(consumer, 1);
      const lost = proxy.loseReply(first!.token);
      const exchanged = consumer.settleAndTake({ settle: [settlementOf(first!)], take: 1 });
      await lost;
      const orphan = (await stage.broker.connect().queues.locate([{ id: first!.id, queues: ["feeds"] }]))[0];
      expect(orphan).toBe("absent");
      const [orphaned] = await broker.redis.lrange(`${broker.prefix}:feeds:active`, 0, -1);
      const token = await broker.redis.get(`${broker.prefix}:feeds:${orphaned}:lock`);
      proxy.reset();
      const { settled, deliveries } = await exchanged;
      expect(settled).toEqual(["settled"]);
      expect(deliveries).toMatchObject([{ id: orphaned, number: 2, crashes: 0 }]);
      expect(token).toMatch(/:\d+$/);
      expect(deliveries[0]?.token).not.toBe(token);
    });
  });

  test("results are stored before anything is settled: nothing is, while the backend cannot be reached", async () => {
    await stage.send(...numbered("feeds", 2));
    const backend = await openProxy(broker.url);
    const other = openBroker(backend.url);
    try {
      const consumer = worker({ lease: 30_000 }, broker.connect({ backend: other.backend }));
      const delivery = await takeOne(consumer);
      const settle = [{ ...settlementOf(delivery), store: storeOf(delivery.id) }];
      backend.refuse();
      const refused = consumer.settleAndTake({ settle, take: 1 }).catch((error: unknown) => error);
      await eventually("attempt to connect", () => backend.refused() > 1);
      expect(await stage.counts("feeds")).toMatchObject({ waiting: 1, active: 1, completed: 0 });
      expect(await consumer.renew([delivery])).toMatchObject({ lost: [] });
      backend.pass();
      expect(await refused).toMatchObject({ settled: ["settled"], deliveries: [{ number: 1 }] });
      expect(await other.backend.read([delivery.id])).toMatchObject([{ state: "SUCCESS" }]);
      await other.backend.forget([delivery.id]);
    } finally {
      backend.pass();
      await other.close();
      await backend.close();
    }
  });

  test("an outage that outlasts the deadline: the ring rejects, and any queue may hold something afterwards", async () => {
    const consumer = worker();
    expect(await take(consumer, 1)).toEqual([]);
    const ringing = consumer.wait();
    await eventually("both connections", () => proxy.connections() === 2);
    proxy.refuse();
    proxy.reset();
    await expect(ringing).rejects.toMatchObject({ code: "BROKER_UNAVAILABLE" });
    expect(consumer.hasWork()).toBe(true);
    proxy.pass();
  });

  test("what could not be passed on is passed on the next time", async () => {
    const [consumer, other] = [worker(), worker({ worker: "worker-b" })];
    for (const idle of [consumer, other]) expect(await take(idle, 1)).toEqual([]);
    await send();
    await eventually("ring", async () => {
      await consumer.wait();
      return consumer.hasWork();
    });
    // What no marker can be put into.
    const marker = `${broker.prefix}:feeds:marker`;
    await broker.redis.set(marker, "");
    await consumer.releaseWakeups();
    await broker.redis.del(marker);
    await consumer.releaseWakeups();
    expect(await hear(other, 1)).toHaveLength(1);
  });

  test("closing does not wait for a Redis that is not there, and ends what waits", async () => {
    const consumer = worker({ lease: 600_000 });
    expect(await take(consumer, 1)).toEqual([]);
    const ringing = consumer.wait().catch((error: unknown) => error);
    await eventually("both connections", () => proxy.connections() === 2);
    proxy.blackhole({ alsoNew: true });
    await consumer.close();
    expect(await ringing).toMatchObject({ code: "BROKER_UNAVAILABLE" });
    await expect(consumer.settleAndTake({ settle: [], take: 1 })).rejects.toMatchObject({ code: "BROKER_UNAVAILABLE" });
  });
});
