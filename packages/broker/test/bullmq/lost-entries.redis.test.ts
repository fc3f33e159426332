import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { beatIndexKey, beatKeys } from "../../src/redis/keys.js";
import { advanceOf, call, tickOf } from "../ports/calendar.js";
import { openCalendar, type RedisCalendar } from "./redis-calendar.js";

const entries = ["a", "b"].map((name) => ({ name, call }));

describe("entries that Redis has lost", () => {
  let calendar: RedisCalendar;

  beforeEach(() => {
    calendar = openCalendar();
  });

  afterEach(() => calendar.close());

  const lose = {
    entry: () => calendar.broker.redis.del(`${beatKeys(calendar.broker.prefix, "app")}entry:a`),
    index: () => calendar.broker.redis.del(beatIndexKey(calendar.broker.prefix, "app")),
    "place in the index": () => calendar.broker.redis.zrem(beatIndexKey(calendar.broker.prefix, "app"), "a"),
    everything: async () => void (await Promise.all([lose.entry(), lose.index()])),
  };

  test.each([
    ["entry", ["a"]],
    ["index", ["a", "b"]],
    ["place in the index", ["a"]],
    ["everything", ["a", "b"]],
  ] as const)("are known and come back in the same term, to be computed: the %s", async (what, lost) => {
    const { store, lead } = calendar;
    const term = await lead();
    await store.sync(term, entries);
    for (const entry of await store.list()) await store.advance(term, [advanceOf(entry, [], Date.now() + 60_000)]);
    expect(await store.lost(["a", "b"])).toEqual([]);
    await lose[what]();
    expect(await store.lost(["a", "b"])).toEqual(lost);
    const given = entries.filter(({ name }) => (lost as readonly string[]).includes(name));
    expect(await store.restore(term, given)).toBe(true);
    expect(await store.lost(["a", "b"])).toEqual([]);
    expect(await store.list()).toMatchObject(entries);
    expect((await store.due(0, 10)).entries.map(({ name }) => name)).toEqual(lost);
  });

  test("go on from their last tick when only the index was lost, paused as they were, and those set at run time too", async () => {
    const { store, lead, read } = calendar;
    const term = await lead();
    await store.set(entries[1]!);
    await store.sync(term, [...entries, { name: "c", call }]);
    await store.advance(term, [advanceOf(await read("a"), [tickOf(1000)], 2000)]);
    await store.pause("c");
    const before = await store.read(["a", "b", "c"]);
    await lose.index();
    await store.sync(term, [...entries, { name: "c", call }]);
    expect(await store.read(["a", "b", "c"])).toEqual([{ ...before[0], due: undefined }, before[1], before[2]]);
    expect((await store.due(0, 10)).entries.map(({ name }) => name)).toEqual(["a", "b"]);
  });

  test("are not those that somebody has removed: these stay away until a term begins or they are set again", async () => {
    const { store, lead } = calendar;
    const term = await lead();
    await store.sync(term, entries);
    expect(await store.remove("a")).toBe(true);
    expect(await store.lost(["a", "b"])).toEqual([]);
    expect(await store.restore(term, entries)).toBe(true);
    expect(await store.list()).toMatchObject([{ name: "b" }]);

    await store.set(entries[0]!);
    await lose.entry();
    expect(await store.lost(["a", "b"])).toEqual(["a"]);
    await store.sync(term, entries);
    await store.remove("a");
    await store.resign(term);
    await store.sync(await lead(), entries);
    expect(await store.list()).toMatchObject(entries);
    await lose.everything();
    expect(await store.lost(["a", "b"])).toEqual(["a", "b"]);
  });

  test("are not restored by one whose term is over, nor are others removed", async () => {
    const { store, lead } = calendar;
    const term = await lead();
    await store.sync(term, entries);
    await lose.entry();
    expect(await store.restore(term, entries.slice(0, 1))).toBe(true);
    expect(await store.list()).toMatchObject(entries);
    await lose.entry();
    await store.resign(term);
    expect(await store.restore(term, entries)).toBe(false);
    expect(await store.lost(["a", "b"])).toEqual(["a"]);
  });

  test("do not stand before others that are due", async () => {
    const { store } = calendar;
    for (const entry of entries) await store.set(entry);
    await lose.entry();
    const looks = [await store.due(0, 1), await store.due(0, 1)];
    expect(looks.flatMap((look) => look.entries)).toMatchObject([{ name: "b" }]);
    expect(looks[0]).toMatchObject({ next: 0 });
  });

  test("are found among many", async () => {
    const { store, lead } = calendar;
    const many = Array.from({ length: 1050 }, (_, number) => ({ name: `e${number}`, call }));
    await store.sync(await lead(), many);
    await lose.index();
    expect(await store.lost(many.map(({ name }) => name))).toHaveLength(1050);
  });
});
