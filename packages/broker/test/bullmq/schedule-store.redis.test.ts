import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { eventually } from "../../../../integration/lib/eventually.js";
import { redisScheduleStore } from "../../src/bullmq/schedules/schedule-store.js";
import { beatKeys, queueKey } from "../../src/redis/keys.js";
import { advanceOf, call, tickOf } from "../ports/calendar.js";
import { describeScheduleStore } from "../ports/schedule-suite.js";
import { contentsUnder } from "./contents.js";
import { openCalendar, type RedisCalendar } from "./redis-calendar.js";

describeScheduleStore("Redis", () => openCalendar());

describe("a store of schedules", () => {
  let calendar: RedisCalendar;

  beforeEach(() => {
    calendar = openCalendar();
  });

  afterEach(() => calendar.close());

  test("sends what publishing would send, to the letter", async () => {
    const { broker, stage, store, lead, prepare } = calendar;
    const term = await lead();
    const entry = await prepare(term, "a", 1000);
    const kinds = [{}, { priority: 3 }, { eta: Date.now() + 60_000 }, { eta: Date.now() + 60_000, priority: 9 }, { expires: 5 }];
    const ticks = kinds.map((fields) => tickOf(1000, "feeds", fields));
    for (const { messages } of ticks) await stage.send(messages[0]);
    const published = await contentsUnder(broker.redis, queueKey(broker.prefix, "feeds"));
    await broker.redis.unlink(await broker.redis.keys(`${queueKey(broker.prefix, "feeds")}*`));
    await store.advance(term, [advanceOf(entry, ticks)]);
    const sent = await contentsUnder(broker.redis, queueKey(broker.prefix, "feeds"));
    expect(sent).toEqual(published);
  });

  test("says of which entry the queue is spoilt, sends nothing of it, and has the others tick", async () => {
    const { broker, stage, store, lead, prepare } = calendar;
    const term = await lead();
    const entries = [await prepare(term, "spoilt", 1000), await prepare(term, "sound", 1000), await prepare(term, "gone", 1000)];
    const spoilt = `${queueKey(broker.prefix, "mails")}events`;
    await broker.redis.set(spoilt, "not what it was");
    await broker.redis.set(`${beatKeys(broker.prefix)}entry:gone`, "not what it was");
    const ticks = [[tickOf(1000), tickOf(2000, "mails"), tickOf(3000)], [tickOf(1000)], [tickOf(1000)]];
    const advances = entries.map((entry, index) => advanceOf(entry, ticks[index], 4000));
    const [error, ...others] = await store.advance(term, advances);
    expect(error).toMatchObject({ code: "BROKER_UNAVAILABLE" });
    expect((error as Error).message).toContain(`WRONGTYPE ${spoilt}`);
    expect((error as Error).message).toContain('"spoilt"');
    expect(others).toMatchObject([{ sent: 1, overlapped: 0, duplicates: 0 }, { code: "BROKER_UNAVAILABLE" }]);
    expect(await stage.counts("feeds")).toMatchObject({ waiting: 1 });
    expect(await calendar.read("spoilt")).toEqual(entries[0]);
    await broker.redis.del(spoilt);
    expect(await store.advance(term, advances.slice(0, 1))).toEqual([{ sent: 3, overlapped: 0, duplicates: 0 }]);
    expect(await stage.counts("feeds")).toMatchObject({ waiting: 3 });
  });

  test("hides no entry behind one that somebody has spoilt, and says which are", async () => {
    const { broker, store } = calendar;
    for (const name of ["a", "b", "c", "d"]) await store.set({ name, call });
    await broker.redis.hset(`${beatKeys(broker.prefix)}entry:a`, "call", '{"__proto__":1}');
    await broker.redis.hset(`${beatKeys(broker.prefix)}entry:b`, "call", "[]");
    await broker.redis.del(`${beatKeys(broker.prefix)}entry:c`);
    await broker.redis.del(`${beatKeys(broker.prefix)}entry:d`);
    await broker.redis.rpush(`${beatKeys(broker.prefix)}entry:d`, "x");
    await store.set({ name: "e", call });
    const expected = [
      { name: "a", spoilt: "it is not JSON, or has a forbidden key" },
      { name: "b", spoilt: "it is no recurring call" },
      { name: "d", spoilt: "it has no version" },
      { name: "e", call },
    ];
    expect(await store.list()).toMatchObject(expected);
    expect((await store.due(0, 10)).entries).toMatchObject(expected);
  });

  test.each<[string, Readonly<Record<string, string>>]>([
    ["another schedule", { call: JSON.stringify({ ...call, schedule: { type: "every", every: -100 } }) }],
    ["an interval that is too short", { call: JSON.stringify({ ...call, schedule: { type: "every", every: 0.5 } }) }],
    ["an interval that is no number", { call: JSON.stringify({ ...call, schedule: { type: "every", every: "1s" } }) }],
    ["a schedule of nobody's", { call: JSON.stringify({ ...call, schedule: { type: "toString" } }) }],
    [
      "a place that is none",
      { call: JSON.stringify({ ...call, schedule: { type: "solar", event: "sunset", latitude: 91, longitude: 0 } }) },
    ],
    ["no task", { call: JSON.stringify({ ...call, task: {} }) }],
    ["arguments that are none", { call: JSON.stringify({ ...call, args: { length: 1 } }) }],
    ["a limit that is none", { call: JSON.stringify({ ...call, limit: -1 }) }],
    ["a jitter without end", { call: JSON.stringify({ ...call, jitter: 1e300 }) }],
    ["a beginning that no Date has", { call: JSON.stringify({ ...call, startAt: 9e15 }) }],
    ["a beginning that is no time", { createdAt: "then" }],
    ["a count that is none", { count: "-1" }],
    ["a last tick at no time", { lastId: "x", lastQueue: "y", lastDue: "nan", lastSentAt: "1" }],
  ])("says that an entry is spoilt which has %s, and takes it back when it is set anew", async (_, fields) => {
    const { broker, store } = calendar;
    await store.set({ name: "a", call });
    await broker.redis.hset(`${beatKeys(broker.prefix)}entry:a`, fields);
    expect(await store.list()).toMatchObject([{ name: "a", spoilt: expect.any(String), call: { task: "" } }]);
    await broker.redis.hdel(`${beatKeys(broker.prefix)}entry:a`, "lastId");
    await store.set({ name: "a", call });
    expect(await store.list()).toEqual([expect.not.objectContaining({ spoilt: expect.anything() })]);
  });

  test("stores the entries of the options, whatever stands in their places", async () => {
    const { broker, store, lead } = calendar;
    const term = await lead();
    const entries = ["a", "b", "c"].map((name) => ({ name, call }));
    await store.sync(term, entries);
    await broker.redis.hset(`${beatKeys(broker.prefix)}entry:a`, "call", "{", "lastDue", "then");
    await broker.redis.del(`${beatKeys(broker.prefix)}entry:b`);
    await broker.redis.set(`${beatKeys(broker.prefix)}entry:b`, "x");
    expect(await store.sync(term, entries)).toBe(true);
    expect(await store.list()).toMatchObject(entries);
  });

  test.each([
    ["far away", (leader: string) => calendar.broker.redis.pexpire(leader, 3_600_000)],
    ["nowhere", (leader: string) => calendar.broker.redis.persist(leader)],
  ])("lets somebody else lead in time though the end of a dead leader's term is %s", async (_, postpone) => {
    const { broker, open, lead } = calendar;
    await lead();
    await postpone(`${beatKeys(broker.prefix)}leader`);
    const other = open(200);
    expect(await other.campaign()).toBeUndefined();
    expect(await eventually("end of the term", () => other.campaign())).toMatchObject({ epoch: 2 });
  });

  test.each([
    ["prefix", () => ({ prefix: `${calendar.broker.prefix}-other` })],
    ["app", () => ({ prefix: calendar.broker.prefix, app: "mailer" })],
  ])("has a leader and entries of its own for each %s", async (_, optionsOf) => {
    const { broker, store, lead } = calendar;
    await lead();
    await store.set({ name: "a", call });
    const other = redisScheduleStore({ location: broker.url, ...optionsOf() });
    onTestFinished(() => other.close());
    expect(await other.campaign()).toMatchObject({ epoch: 1 });
    expect(await other.list()).toEqual([]);
  });
});
