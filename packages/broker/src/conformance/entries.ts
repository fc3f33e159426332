import { equal, isTrue, matches, rejects } from "./assertions.js";
import { advanceOf, call, entryOf, lead, prepare, tickOf } from "./calendar.js";
import type { Suite } from "./suite.js";

const other = { ...call, args: [3, 4] };
export function describeEntries({ describe, test }: Suite): void {
  describe("an entry", () => {
    test("that is set: it is kept as it is, and is to be computed", async (stage) => {
      const { schedules } = stage.engine;
      const all = {
        ...call,
        schedule: { type: "crontab", expression: "*/5 9-17 * * 1-5", timezone: "Europe/Berlin" },
        args: [{ deep: ["ä", null, 1.5] }],
        options: { queue: "feeds", eta: "2026-11-21T18:00:00.000Z" },
        catchUp: "all",
        overlap: "skip",
        startAt: 1,
        endAt: 2,
        limit: 3,
      } as const;
      const { now } = await schedules.due(0, 1);
      const names = ["b", "a", "ü: of *many* words"];
      for (const name of names) await schedules.set({ name, call: name === "a" ? all : call });
      const entries = await stage.other.schedules.list();
      equal(
        entries.map(({ name }) => name),
        names.toSorted(),
      );
      const { version, createdAt, ...entry } = await entryOf(schedules, "a");
      equal(entry, { name: "a", call: all, origin: "runtime", paused: false, count: 0 });
      isTrue(version !== "" && createdAt >= now, "it has a version, and the time at which it was set");
      equal(
        (await schedules.read(["b", "none", "a"])).map((one) => one?.name),
        ["b", undefined, "a"],
      );
    });

    test("that is set again: it is another version and counts anew, and its last tick stays known", async (stage) => {
      const { schedules } = stage.engine;
      const term = await lead(schedules);
      const before = await prepare(schedules, term, "a", 1000);
      await schedules.advance(term, [advanceOf(before, [tickOf(1000)], 2000)]);
      const { last } = await entryOf(schedules, "a");
      await schedules.set({ name: "a", call: other });
      const after = await entryOf(schedules, "a");
      matches(after, { call: other, count: 0, last, due: undefined });
      isTrue(after.version !== before.version, "its version is another one");
    });

    test("that is set again while its last tick is still to come: that counts as due now", async (stage) => {
      const { schedules } = stage.engine;
      const term = await lead(schedules);
      const { now } = await schedules.due(0, 1);
      await schedules.advance(term, [advanceOf(await prepare(schedules, term, "a", 1000), [tickOf(now + 3_600_000)], now + 7_200_000)]);
      await schedules.set({ name: "a", call });
      const { last, createdAt } = await entryOf(schedules, "a");
      equal(last?.due, createdAt);
    });

    test("that is removed: it is gone", async (stage) => {
      const { schedules } = stage.engine;
      await schedules.set({ name: "a", call });
      equal([await schedules.remove("a"), await schedules.remove("a"), await schedules.list()], [true, false, []]);
      matches(await schedules.due(Infinity, 10), { entries: [] });
    });

    test("that is paused: it is not due until it is resumed, also if it is set anew", async (stage) => {
      const { schedules } = stage.engine;
      equal([await schedules.pause("a"), await schedules.resume("a")], [false, false]);
      const term = await lead(schedules);
      const before = await prepare(schedules, term, "a", 1000);
      equal([await schedules.pause("a"), await schedules.pause("a")], [true, true]);
      const paused = await entryOf(schedules, "a");
      matches(paused, { paused: true, createdAt: before.createdAt, due: undefined });
      equal(await schedules.advance(term, [advanceOf(before), advanceOf(paused)]), ["changed", "changed"]);
      await schedules.set({ name: "a", call: other });
      matches(await schedules.due(Infinity, 10), { entries: [], next: undefined });
      equal([await schedules.resume("a"), await schedules.resume("a")], [true, true]);
      const resumed = await entryOf(schedules, "a");
      matches(resumed, { call: other, paused: false });
      matches(await schedules.due(0, 10), { entries: [{ name: "a", version: resumed.version }] });
    });

    test("whose changes are listened to: each is told", async (stage) => {
      const { schedules } = stage.engine;
      const told: string[] = [];
      const stop = await stage.other.schedules.subscribe((news) => told.push(news));
      const changes = [
        () => schedules.set({ name: "a", call }),
        () => schedules.pause("a"),
        () => schedules.resume("a"),
        () => schedules.remove("a"),
      ];
      for (const [index, change] of changes.entries()) {
        await change();
        await stage.eventually("word of it", () => told.length === index + 1);
      }
      stop();
      await schedules.set({ name: "a", call });
      equal(told, ["changed", "changed", "changed", "changed"]);
    });

    test("that JSON cannot carry: ENCODE_ERROR, and nothing is stored", async (stage) => {
      const { schedules } = stage.engine;
      const unsound = { ...call, args: [1n] };
      await rejects(schedules.set({ name: "a", call: unsound }), "ENCODE_ERROR");
      await rejects(schedules.sync(await lead(schedules), [{ name: "a", call: unsound }]), "ENCODE_ERROR");
      equal(await schedules.list(), []);
    });
  });

  describe("what is due", () => {
    test("among entries at several times: first what is to be computed, then by time, as many as asked for", async (stage) => {
      const { schedules } = stage.engine;
      const term = await lead(schedules);
      for (const [name, due] of Object.entries({ late: 3000, early: 1000, middle: 2000.5 })) await prepare(schedules, term, name, due);
      await schedules.set({ name: "new", call });
      const looks = [
        [0, 10, ["new"], 1000],
        [1000, 10, ["new", "early"], 2000.5],
        [3000, 10, ["new", "early", "middle", "late"], undefined],
        [3000, 2, ["new", "early"], 2000.5],
        [Infinity, 3, ["new", "early", "middle"], 3000],
      ] as const;
      for (const [until, most, names, next] of looks) {
        const due = await schedules.due(until, most);
        equal([due.entries.map(({ name }) => name), due.next], [names, next]);
      }
    });

    test("where there is nothing: the time is told all the same", async (stage) => {
      const due = await stage.engine.schedules.due(0, 10);
      equal(due.entries, []);
      isTrue(Math.abs(due.now - stage.now()) < 60_000, "it is the time of the engine");
    });

    test("what never is due any more: it is not due in another term either", async (stage) => {
      const { schedules } = stage.engine;
      const term = await lead(schedules);
      await schedules.set({ name: "a", call });
      equal(await schedules.advance(term, [advanceOf(await entryOf(schedules, "a"))]), [{ sent: 0, overlapped: 0, duplicates: 0 }]);
      const over = await entryOf(schedules, "a");
      equal(over.due, undefined);
      matches(await schedules.due(Infinity, 10), { entries: [] });
      await schedules.resign(term);
      equal(await schedules.advance(await lead(schedules), [advanceOf(over, [tickOf(1)])]), ["changed"]);
    });
  });
}
