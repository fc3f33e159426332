import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { beatIndexKey, beatKeys } from "../../src/redis/keys.js";
import { advanceOf, call } from "../ports/calendar.js";
import { openCalendar, type RedisCalendar } from "./redis-calendar.js";

describe("entries as nobody stores them", () => {
  let calendar: RedisCalendar;

  beforeEach(() => {
    calendar = openCalendar();
  });

  afterEach(() => calendar.close());

  /** Plants an entry to be computed, with a call of so many bytes that is none. */
  async function plant(name: string | Buffer, bytes: number, fields: Readonly<Record<string, string | Buffer>> = {}): Promise<void> {
    const { redis, prefix } = calendar.broker;
    await redis.hset(
      Buffer.concat([Buffer.from(`${beatKeys(prefix)}entry:`), Buffer.from(name)]),
      "call",
      "x".repeat(bytes),
      "version",
      "v1",
      ...Object.entries(fields).flat(),
    );
    await redis.zadd(beatIndexKey(prefix), 0, name);
  }

  const namesOf = async (...resting: readonly string[]) => {
    const { entries, next } = await calendar.store.due(
      0,
      10,
      resting.map((name) => ({ name, version: "v1" })),
    );
    return { names: entries.map(({ name }) => name), next };
  };

  test("a look reads long entries in several calls, the others being due at once", async () => {
    for (const name of ["a", "b", "c"]) await plant(name, 600 * 1024);
    expect(await namesOf()).toEqual({ names: ["a"], next: 0 });
    expect(await namesOf("a")).toEqual({ names: ["a", "b"], next: 0 });
    expect(await namesOf("a", "b")).toEqual({ names: ["a", "b", "c"], next: undefined });
    expect(await namesOf("a", "c")).toEqual({ names: ["a", "b", "c"], next: undefined });
  });

  test("a look finds an entry with a name of megabytes once, and those behind it", async () => {
    await plant("n".repeat(3_000_000), 10);
    await plant("z", 10);
    const { names, next } = await namesOf();
    expect(names).toEqual(["n".repeat(800), "z"]);
    expect(next).toBeUndefined();
    expect(await namesOf()).toEqual({ names: ["z"], next: undefined });
  });

  test("a look reads nothing of entries that rest, unless they were changed", async () => {
    await calendar.store.set({ name: "changed", call });
    const [{ version } = { version: "" }] = await calendar.store.list();
    const rested = await calendar.store.due(0, 10, [{ name: "changed", version }]);
    expect(rested.entries).toMatchObject([{ name: "changed", version, spoilt: expect.any(String) as string }]);
    const { entries } = await calendar.store.due(0, 10, [{ name: "changed", version: "another" }]);
    expect(entries).toMatchObject([{ name: "changed", version, call }]);
    expect(entries[0]).not.toHaveProperty("spoilt");
  });

  test("a look knows entries that rest again, though their version is no text, or their other fields are long", async () => {
    await plant("a", 600 * 1024, { version: Buffer.from([0xff]) });
    await plant("b", 600 * 1024, { origin: "x".repeat(600 * 1024) });
    await plant("c", 10);
    const { entries } = await calendar.store.due(0, 10);
    expect(entries).toMatchObject([{ name: "a", version: "", spoilt: expect.any(String) as string }]);
    const rested = await calendar.store.due(0, 10, [
      { name: "a", version: "" },
      { name: "b", version: "v1" },
    ]);
    expect(rested.entries.map(({ name, version }) => [name, version])).toEqual([
      ["a", ""],
      ["b", "v1"],
      ["c", "v1"],
    ]);
  });

  test.each(["-5", "-inf"])("one that is due at %s goes on", async (score) => {
    const { store, lead, broker, read } = calendar;
    const term = await lead();
    await store.set({ name: "early", call });
    await broker.redis.zadd(beatIndexKey(broker.prefix), score, "early");
    const next = Date.now() + 60_000;
    expect(await store.advance(term, [advanceOf(await read("early"), [], next)])).toEqual([{ sent: 0, overlapped: 0, duplicates: 0 }]);
    expect(await read("early")).toMatchObject({ due: next });
  });

  test.each([
    ["bytes that are no text", Buffer.from([0x61, 0xff])],
    ["a character cut off", Buffer.from("é").subarray(0, 1)],
    ["half of a pair", Buffer.from([0xed, 0xa0, 0x80])],
    ["ten thousand characters", Buffer.from("x".repeat(10_000))],
  ])("a look gets by an entry whose name is %s, however long it is", async (_, name) => {
    await plant(name, 3_000_000);
    await plant("zz é 😀 \u0000", 10);
    const { names } = await namesOf();
    expect(names).toHaveLength(2);
    // Each look gives it again.
    expect(names.join("").length).toBeLessThan(1000);
    expect(names).toContain("zz é 😀 \u0000");
  });
});
