import { describe, expect, test } from "vitest";
import { eventually } from "../../../../integration/lib/eventually.js";
import type { ScheduledCall } from "../../src/protocol/schedule.js";
import { advanceOf, call, tickOf, type Calendar } from "./calendar.js";

const other = { ...call, args: [3, 4] };

export function describeEntries(at: () => Calendar): void {
  describe("entries", () => {
    test("are kept as they were set, by name, and are to be computed", async () => {
      const { store } = at();
      const all = {
        ...call,
        schedule: { type: "crontab", expression: "*/5 9-17 * * 1-5", timezone: "Europe/Berlin" },
        args: [{ deep: ["ä", null, 1.5] }],
        options: { queue: "feeds", eta: "2026-11-21T18:00:00.000Z" },
        catchUp: "all",
        deadline: 60_000,
        overlap: "skip",
        jitter: 50,
        startAt: 1,
        endAt: 2,
        limit: 3,
      } as const;
      const { now } = await store.due(0, 1);
      const names = ["b", "a", "ü: of *many* words", "__proto__"];
      for (const name of names) await store.set({ name, call: name === "a" ? all : call });
      const entries = await store.list();
      expect(entries.map(({ name }) => name)).toEqual(names.toSorted());
      expect(entries[1]).toEqual({
        name: "a",
        call: all,
        origin: "runtime",
        version: expect.any(String),
        paused: false,
        createdAt: expect.any(Number),
        count: 0,
      });
      expect(entries[1]!.createdAt).toBeGreaterThanOrEqual(now);
      expect(await store.read(["b", "none", "a"])).toEqual([entries[2], undefined, entries[1]]);
      expect(await store.read([])).toEqual([]);
    });

    test("that are set again are another version, and count anew; their last tick is known still", async () => {
      const { store, lead, prepare, read } = at();
      const term = await lead();
      const before = await prepare(term, "a", 1000);
      await store.advance(term, [advanceOf(before, [tickOf(1000)], 2000)]);
      const { last, createdAt } = await read("a");
      await eventually("later time", async () => (await store.due(0, 1)).now > createdAt);
      await store.set({ name: "a", call: other });
      const after = await read("a");
      expect(after).toMatchObject({ call: other, count: 0, last });
      expect(after.version).not.toBe(before.version);
      expect(after.createdAt).toBeGreaterThan(createdAt);
      expect(after).not.toHaveProperty("due");
    });

    test("that are set again do not wait for a last tick that is still to come, as the clock has gone back", async () => {
      const { store, lead, prepare, read } = at();
      const term = await lead();
      const { now } = await store.due(0, 1);
      await store.advance(term, [advanceOf(await prepare(term, "a", 1000), [tickOf(now + 3_600_000)], now + 7_200_000)]);
      const { last } = await read("a");
      await store.set({ name: "a", call });
      const after = await read("a");
      expect(after.last).toEqual({ ...last, due: after.createdAt });
    });

    test("can be removed", async () => {
      const { store } = at();
      await store.set({ name: "a", call });
      expect(await store.remove("a")).toBe(true);
      expect(await store.remove("a")).toBe(false);
      expect(await store.list()).toEqual([]);
      expect(await store.due(Infinity, 10)).toMatchObject({ entries: [] });
    });

    test("that are paused are not due until they are resumed, also if they are set anew", async () => {
      const { store, lead, prepare, read } = at();
      expect([await store.pause("a"), await store.resume("a")]).toEqual([false, false]);
      const term = await lead();
      const before = await prepare(term, "a", 1000);
      expect([await store.pause("a"), await store.pause("a")]).toEqual([true, true]);
      const paused = await read("a");
      expect(paused).toMatchObject({ paused: true, createdAt: before.createdAt });
      expect(paused).not.toHaveProperty("due");
      expect(await store.advance(term, [advanceOf(before), advanceOf(paused)])).toEqual(["changed", "changed"]);
      await store.set({ name: "a", call: other });
      const due = await store.due(Infinity, 10);
      expect(due).toEqual({ now: expect.any(Number), entries: [] });
      expect([await store.resume("a"), await store.resume("a")]).toEqual([true, true]);
      const resumed = await read("a");
      expect(resumed).toMatchObject({ call: other, paused: false });
      expect(await store.due(0, 10)).toMatchObject({ entries: [resumed] });
    });

    test("each change is told", async () => {
      const { store, open } = at();
      const told: string[] = [];
      const stop = await open().subscribe((news) => told.push(news));
      const changes = [() => store.set({ name: "a", call }), () => store.pause("a"), () => store.resume("a"), () => store.remove("a")];
      for (const [index, change] of changes.entries()) {
        await change();
        await eventually("word of it", () => told.length === index + 1);
      }
      stop();
      await store.set({ name: "a", call });
      expect(told).toEqual(Array(4).fill("changed"));
    });

    test("from options are stored where they are new or changed, and removed when they are gone; what was set at run time stays", async () => {
      const { store, lead, prepare } = at();
      const term = await lead();
      const runtime = await prepare(term, "runtime", 1000);
      expect(
        await store.sync(
          term,
          ["same", "changed", "gone"].map((name) => ({ name, call })),
        ),
      ).toBe(true);
      const [changed, , , same] = await store.list();
      await store.pause("changed");
      const wanted = [
        { name: "same", call },
        { name: "changed", call: other },
        { name: "runtime", call: other },
        { name: "new", call },
      ];
      expect(await store.sync(term, wanted)).toBe(true);
      const after = await store.list();
      expect(after).toMatchObject([
        { name: "changed", call: other, origin: "options", paused: true, createdAt: changed!.createdAt },
        { name: "new", call, origin: "options", paused: false },
        runtime,
        same!,
      ]);
      expect(after[0]!.version).not.toBe(changed!.version);
      expect(after).toHaveLength(4);
      expect(await store.remove("same")).toBe(true);
      expect(await store.sync(term, wanted)).toBe(true);
      expect(await store.list()).toHaveLength(4);
      expect(await store.sync(term, [])).toBe(true);
      expect(await store.list()).toEqual([runtime]);
    });

    describe("from options that have another call", () => {
      const minute = 60_000;

      /** A leader, and an entry of its options that has ticked once. */
      async function ticked(fields: Partial<ScheduledCall> = {}) {
        const { store, lead, read } = at();
        const term = await lead();
        const { now } = await store.due(0, 1);
        const before = { ...call, ...fields };
        const sync = (changed: Partial<ScheduledCall>) => store.sync(term, [{ name: "a", call: { ...before, ...changed } }]);
        await sync({});
        await store.advance(term, [advanceOf(await read("a"), [tickOf(now - minute)], now - 1000)]);
        return { now, term, entry: await read("a"), sync };
      }

      test.each([
        ["arguments", { args: [3] }],
        ["options", { options: { priority: 1 }, catchUp: "all", overlap: "skip", jitter: 5, deadline: 6, limit: 7 }],
        ["a start, and that is past", { startAt: 5 }],
        ["an end that is to come", { endAt: 8e15 }],
      ] as const)("are due as before, and count on: %s", async (_, changed) => {
        const { store, read } = at();
        const { term, entry, sync } = await ticked();
        await sync(changed);
        const after = await read("a");
        expect(after).toEqual({ ...entry, call: { ...call, ...changed }, version: expect.any(String) });
        expect(await store.advance(term, [advanceOf(entry, [tickOf(entry.due!)])])).toEqual(["changed"]);
        await store.pause("a");
        await sync({});
        expect(await read("a")).toEqual({ ...entry, due: undefined, paused: true, version: expect.any(String) });
      });

      test.each<[string, (now: number) => Partial<ScheduledCall>, ((now: number) => Partial<ScheduledCall>)?]>([
        ["another schedule", () => ({ schedule: { type: "every", every: 30_000 } })],
        ["another schedule with more to it", () => ({ schedule: { type: "every", every: 20_000, unit: "ms" } as never })],
        ["a start that is to come", (now) => ({ startAt: now + minute })],
        ["no start where there was one to come", () => ({ startAt: 1 }), (now) => ({ startAt: now + minute })],
      ])("are to be computed, and count anew: %s", async (_, changed, before) => {
        const { read } = at();
        const { now, sync } = await ticked(before?.(Date.now()));
        await sync(changed(now));
        const after = await read("a");
        expect(after).toMatchObject({ count: 0, last: { due: now - minute } });
        expect(after).not.toHaveProperty("due");
      });

      test("are to be computed if they were not due any more, or would be behind their end", async () => {
        const { store, read } = at();
        const { now, term, entry, sync } = await ticked({ limit: 1 });
        await store.advance(term, [advanceOf(entry)]);
        expect(await store.due(Infinity, 1)).toMatchObject({ entries: [] });
        await sync({ limit: 2 });
        expect(await store.due(0, 1)).toMatchObject({ entries: [{ name: "a", count: 1 }] });
        await store.advance(term, [advanceOf(await read("a"), [], now + minute)]);
        await sync({ endAt: now });
        expect(await store.due(0, 1)).toMatchObject({ entries: [{ name: "a", count: 1 }] });
      });
    });

    test("from options whose schedule is a function are computed anew by each leader, unless they are due, paused, or were set at run time", async () => {
      const { store, lead, read } = at();
      const own = { ...call, schedule: { type: "function" } } as const;
      const term = await lead();
      const { now } = await store.due(0, 1);
      const dues = { due: now - 1000, "not due": now + 60_000, never: undefined, paused: now + 60_000, runtime: now + 60_000 };
      const entries = Object.keys(dues).map((name) => ({ name, call: own }));
      await store.set(entries.at(-1)!);
      await store.sync(term, entries);
      for (const [name, due] of Object.entries(dues)) await store.advance(term, [advanceOf(await read(name), [], due)]);
      await store.pause("paused");
      const before = await store.read(Object.keys(dues));
      await store.sync(term, entries);
      const after = await store.read(Object.keys(dues));
      expect(after).toEqual(before.map((entry) => (entry?.name === "not due" ? { ...entry, due: undefined } : entry)));
      expect((await store.due(0, 10)).entries.map(({ name }) => name)).toEqual(["never", "not due"]);
    });

    test("may be many", async () => {
      const { store, lead } = at();
      const term = await lead();
      const entries = Array.from({ length: 1050 }, (_, number) => ({ name: `e${number}`, call: { ...call, args: ["x".repeat(1000)] } }));
      expect(await store.sync(term, entries)).toBe(true);
      expect((await store.list()).map(({ name }) => name)).toEqual(entries.map(({ name }) => name).toSorted());
      expect(await store.sync(term, entries.slice(1000))).toBe(true);
      expect(await store.list()).toHaveLength(50);
    });

    test.each([
      ["a function", { ...call, args: [() => 1] }],
      ["a bigint", { ...call, args: [1n] }],
      ["a key that changes prototypes", { ...call, options: JSON.parse('{"__proto__":1}') as Record<string, unknown> }],
    ])("are refused if JSON cannot carry them: %s", async (_, unsound) => {
      const { store, lead } = at();
      await expect(store.set({ name: "a", call: unsound })).rejects.toMatchObject({ code: "ENCODE_ERROR" });
      await expect(store.sync(await lead(), [{ name: "a", call: unsound }])).rejects.toMatchObject({ code: "ENCODE_ERROR" });
      expect(await store.list()).toEqual([]);
    });
  });

  describe("what is due", () => {
    test("is what is to be computed, then what is due by a time, earliest first, as many as asked for; and when the others are", async () => {
      const { store, lead, prepare } = at();
      const term = await lead();
      const times = { late: 3000, early: 1000, middle: 2000.5 };
      for (const [name, due] of Object.entries(times)) await prepare(term, name, due);
      await store.set({ name: "new", call });
      const looks = [
        [0, 10, ["new"], 1000],
        [1000, 10, ["new", "early"], 2000.5],
        [2500, 10, ["new", "early", "middle"], 3000],
        [3000, 10, ["new", "early", "middle", "late"], undefined],
        [3000, 2, ["new", "early"], 2000.5],
        [Infinity, 3, ["new", "early", "middle"], 3000],
      ] as const;
      for (const [until, most, names, next] of looks) {
        const due = await store.due(until, most);
        expect(due.entries.map(({ name }) => name)).toEqual(names);
        expect(due.next).toBe(next);
      }
      expect((await store.due(3000, 10)).entries).toEqual(await store.read(["new", "early", "middle", "late"]));
    });

    test("is nothing where there is nothing; the time is told all the same, in ms since the epoch", async () => {
      const due = await at().store.due(0, 10);
      expect(due).toEqual({ now: expect.any(Number), entries: [] });
      expect(Math.abs(due.now - Date.now())).toBeLessThan(60_000);
      expect(Number.isInteger(due.now)).toBe(true);
    });

    test("is not what never is due any more", async () => {
      const { store, lead, read } = at();
      const term = await lead();
      await store.set({ name: "a", call });
      expect(await store.advance(term, [advanceOf(await read("a"))])).toEqual([{ sent: 0, overlapped: 0, duplicates: 0 }]);
      const { due, ...over } = await read("a");
      expect(due).toBeUndefined();
      expect(await store.due(Infinity, 10)).toEqual({ now: expect.any(Number), entries: [] });
      // It is as it was, also in another term; but it is not to be computed.
      await store.resign(term);
      expect(await store.advance(await lead(), [advanceOf(over, [tickOf(1)])])).toEqual(["changed"]);
    });
  });
}
