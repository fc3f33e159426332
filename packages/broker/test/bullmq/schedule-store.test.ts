import { afterEach, beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { redisScheduleStore } from "../../src/bullmq/schedules/schedule-store.js";
import { beatKeys, queueKey } from "../../src/redis/keys.js";
import { advanceOf, call, tickOf } from "../ports/calendar.js";
import { describeScheduleStore } from "../ports/schedule-suite.js";
import { eventually } from "../ports/waiting.js";
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

  test("hides no entry behind one that somebody has spoilt", async () => {
    const { broker, store } = calendar;
    for (const name of ["a", "b", "c", "d"]) await store.set({ name, call });
    await broker.redis.hset(`${beatKeys(broker.prefix)}entry:a`, "call", '{"__proto__":1}');
    await broker.redis.hset(`${beatKeys(broker.prefix)}entry:b`, "call", "[]");
    await broker.redis.del(`${beatKeys(broker.prefix)}entry:c`);
    const troubles: string[] = [];
    const other = redisScheduleStore({ location: broker.url, prefix: broker.prefix, onTrouble: (reason) => troubles.push(reason) });
    onTestFinished(() => other.close());
    expect((await other.list()).map(({ name }) => name)).toEqual(["d"]);
    expect((await other.due(0, 10)).entries.map(({ name }) => name)).toEqual(["d"]);
    expect(troubles).toHaveLength(4);
    expect(troubles[0]).toContain('"a"');
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
