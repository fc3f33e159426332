import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { eventually } from "../../../../integration/lib/eventually.js";
import { openProxy, type Proxy } from "../../../../integration/lib/proxy.js";
import { redisScheduleStore } from "../../src/bullmq/schedules/schedule-store.js";
import type { Schedules, Term } from "../../src/ports/schedules.js";
import { beatKeys } from "../../src/redis/keys.js";
import { advanceOf, call, tickOf } from "../ports/calendar.js";
import { argumentsOf } from "../ports/messages.js";
import { take } from "../ports/waiting.js";
import { deadPort, redisBinary, startRedis, type PrivateRedis } from "../redis/private-redis.js";
import { openCalendar, type RedisCalendar } from "./redis-calendar.js";

describe("a store of schedules, when the way to Redis fails,", () => {
  let calendar: RedisCalendar;
  let proxy: Proxy;
  let through: Schedules;

  beforeEach(async () => {
    calendar = openCalendar();
    proxy = await openProxy(calendar.broker.url);
    through = redisScheduleStore({ location: proxy.url, prefix: calendar.broker.prefix, deadline: 5000 });
  });

  afterEach(async () => {
    await through.close();
    await calendar.close();
    await proxy.close();
  });

  /** What `ask` gives when Redis has done it, its reply is lost, and `meanwhile` has happened. */
  async function afterLoss<T>(ask: () => Promise<T>, meanwhile: () => Promise<unknown> = async () => undefined): Promise<T> {
    const lost = proxy.loseReply(beatKeys(calendar.broker.prefix));
    const answer = ask();
    await lost;
    await meanwhile();
    proxy.reset();
    return answer;
  }

  /** Has Redis know all scripts: what is lost would be its word that it does not. */
  async function warm(): Promise<void> {
    const { store, lead, read } = calendar;
    const term = await lead();
    await store.renew(term);
    await store.sync(term, []);
    await store.set({ name: "warm", call });
    await store.pause("warm");
    await store.advance(term, [advanceOf(await read("warm"))]);
    await store.due(0, 1);
    await store.remove("warm");
    await store.resign(term);
  }

  test("terms begin, last and end once, though replies are lost", async () => {
    await warm();
    const { store } = calendar;
    const term = (await afterLoss(() => through.campaign())) as Term;
    expect(term).toMatchObject({ epoch: 2 });
    expect(await afterLoss(() => through.renew(term))).toBe(true);
    let next: Term | undefined;
    await afterLoss(
      () => through.resign(term),
      async () => (next = await store.campaign()),
    );
    expect(next).toMatchObject({ epoch: 3 });
    expect(await store.renew(next!)).toBe(true);
  });

  test("entries change once, though replies are lost", async () => {
    await warm();
    const { store, lead, read } = calendar;
    const term = await lead();
    let stored: unknown;
    const look = async () => (stored = await store.list());
    await afterLoss(() => through.set({ name: "a", call }), look);
    expect(await store.list()).toEqual(stored);
    expect(await afterLoss(() => through.pause("a"), look)).toBe(true);
    expect(await store.list()).toEqual(stored);
    expect(await afterLoss(() => through.resume("a"), look)).toBe(true);
    expect(await store.list()).toEqual(stored);
    expect(await read("a")).toMatchObject({ paused: false });
    expect(await afterLoss(() => through.remove("a"))).toBe(true);
    expect(await store.list()).toEqual([]);
    expect(await through.remove("a")).toBe(false);
    expect(await afterLoss(() => through.sync(term, [{ name: "b", call }]))).toBe(true);
    expect(await store.list()).toMatchObject([{ name: "b" }]);
  });

  test("a tick is sent once, and it is known that it was, though the reply is lost and its task has ended and is gone", async () => {
    await warm();
    const { stage, lead, prepare, read } = calendar;
    const term = await lead();
    const entry = await prepare(term, "a", 1000);
    const ticks = [tickOf(1000), tickOf(2000, "feeds", {}, true)];
    const purge = () => stage.engine.queues.purge("feeds");
    expect(await afterLoss(() => through.advance(term, [advanceOf(entry, ticks, 3000)]), purge)).toEqual([
      { sent: 1, overlapped: 1, duplicates: 0 },
    ]);
    expect(await stage.counts("feeds")).toMatchObject({ waiting: 0 });
    expect(await read("a")).toMatchObject({ due: 3000, count: 1 });
  });

  test("a tick that was held up until somebody else leads is not sent", async () => {
    await warm();
    const { stage, store, lead, prepare } = calendar;
    const term = await lead();
    const entry = await prepare(term, "a", 1000);
    await through.due(0, 1);
    const { held, letGo } = proxy.hold(term.token);
    const late = through.advance(term, [advanceOf(entry, [tickOf(1000)], 2000)]);
    await held;
    await store.resign(term);
    expect(await store.advance(await lead(), [advanceOf(entry, [tickOf(1000)], 2000)])).toEqual([
      { sent: 1, overlapped: 0, duplicates: 0 },
    ]);
    letGo();
    expect(await late).toEqual(["deposed"]);
    expect(await stage.counts("feeds")).toMatchObject({ waiting: 1 });
  });

  test("an outage shorter than the deadline is got over, and changes are heard again", async () => {
    let told = 0;
    await through.subscribe(() => told++);
    proxy.refuse();
    proxy.reset();
    const term = through.campaign();
    await eventually("attempt to connect", () => proxy.refused() > 1);
    proxy.pass();
    expect(await term).toMatchObject({ epoch: 1 });
    await eventually("word of a change", async () => {
      await calendar.store.set({ name: "a", call });
      return told > 0;
    });
  });

  test("each call fails by the deadline, and says what came to nothing", async () => {
    const away = redisScheduleStore({ location: `redis://127.0.0.1:${deadPort}`, prefix: "away", deadline: 200 });
    onTestFinished(() => away.close());
    const term = { token: "none", epoch: 1 };
    const calls = [
      () => away.campaign(),
      () => away.renew(term),
      () => away.resign(term),
      () => away.sync(term, []),
      () => away.lost(["a"]),
      () => away.restore(term, []),
      () => away.set({ name: "a", call }),
      () => away.remove("a"),
      () => away.pause("a"),
      () => away.resume("a"),
      () => away.list(),
      () => away.read(["a"]),
      () => away.due(0, 1),
      () => away.advance(term, [{ name: "a", version: "", due: 1, ticks: [] }]),
      () => away.subscribe(() => undefined),
    ];
    for (const ask of calls) await expect(ask()).rejects.toMatchObject({ code: "BROKER_UNAVAILABLE" });
  });
});

describe.skipIf(redisBinary === undefined)("a store of schedules in a Redis", () => {
  let redis: PrivateRedis;
  let calendar: RedisCalendar;

  beforeEach(async () => {
    redis = await startRedis();
    calendar = openCalendar(redis.url);
  });

  afterEach(async () => {
    await calendar.close();
    await redis.stop();
  });

  test("that is full refuses ticks and changes whole, keeps its leader, and has entries paused and removed", async () => {
    const { broker, stage, store, lead, prepare, read } = calendar;
    const term = await lead();
    const entries = [await prepare(term, "a", 1000), await prepare(term, "b", 1000), await prepare(term, "c", 1000)];
    await store.sync(term, [{ name: "d", call }]);
    const before = await store.list();
    await redis.client.config("SET", "maxmemory", "1");
    const full = { code: "BROKER_FULL" };
    const ticks = [[tickOf(1000)], [tickOf(1000, "feeds", { priority: 5 })], []];
    for (const first of [0, 1, 2]) {
      const advances = entries.map((entry, index) => advanceOf(entry, ticks[index], 2000)).slice(first);
      await expect(store.advance(term, advances)).rejects.toMatchObject(full);
    }
    await expect(store.set({ name: "a", call })).rejects.toMatchObject(full);
    await expect(store.sync(term, [{ name: "e", call }])).rejects.toMatchObject(full);
    await expect(store.restore(term, [{ name: "e", call }])).rejects.toMatchObject(full);
    expect(await store.list()).toEqual(before);
    expect(await broker.redis.keys(`${broker.prefix}:*`)).toEqual([]);
    expect(await store.renew(term)).toBe(true);
    expect([
      await store.pause("a"),
      await store.resume("a"),
      await store.pause("a"),
      await store.remove("b"),
      await store.remove("d"),
    ]).toEqual([true, true, true, true, true]);
    expect(await store.lost(["d"])).toEqual([]);
    await redis.client.config("SET", "maxmemory", "0");
    expect(await read("a")).toMatchObject({ paused: true });
    expect(await store.advance(term, [advanceOf(entries[2]!, [tickOf(1000)], 2000)])).toEqual([{ sent: 1, overlapped: 0, duplicates: 0 }]);
    expect(argumentsOf(await take(stage.consume(["feeds"]), 10))).toEqual([1000]);
  });

  test("that is full lets nobody begin a term, and a leader resign", async () => {
    const { store, lead } = calendar;
    const term = await lead();
    await redis.client.config("SET", "maxmemory", "1");
    await store.resign(term);
    await expect(store.campaign()).rejects.toMatchObject({ code: "BROKER_FULL" });
    await redis.client.config("SET", "maxmemory", "0");
    expect(await store.campaign()).toMatchObject({ epoch: 2 });
  });

  test("that is a replica for a while is waited for", async () => {
    const { stage, store, lead, prepare } = calendar;
    const term = await lead();
    const entry = await prepare(term, "a", 1000);
    await redis.client.replicaof("127.0.0.1", deadPort);
    // Served all the same: it was the primary.
    const advanced = store.advance(term, [advanceOf(entry, [tickOf(1000)], 2000)]);
    await eventually("refusal", async () => /errorstat_READONLY/.test(await redis.client.info("errorstats")));
    await redis.client.replicaof("NO", "ONE");
    expect(await advanced).toEqual([{ sent: 1, overlapped: 0, duplicates: 0 }]);
    expect(await stage.counts("feeds")).toMatchObject({ waiting: 1 });
  });

  test("whose user may not publish has entries changed and terms ended all the same", async () => {
    const { broker, store, lead } = calendar;
    await redis.client.call("ACL", "SETUSER", "mute", "on", ">secret", "~*", "+@all", "resetchannels");
    const url = new URL(redis.url);
    const mute = redisScheduleStore({ location: { url: url.href, username: "mute", password: "secret" }, prefix: broker.prefix });
    onTestFinished(() => mute.close());
    await mute.set({ name: "a", call });
    expect(await store.list()).toMatchObject([{ name: "a" }]);
    const term = await lead();
    await mute.resign(term);
    expect(await store.campaign()).toMatchObject({ epoch: 2 });
  });
});
