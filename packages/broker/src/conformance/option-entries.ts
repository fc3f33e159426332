import type { ScheduledCall } from "../protocol/schedule.js";
import { equal, matches } from "./assertions.js";
import { advanceOf, call, entryOf, lead, prepare, tickOf } from "./calendar.js";
import type { Stage } from "./stage.js";
import type { Suite } from "./suite.js";

const other = { ...call, args: [3, 4] };
const minute = 60_000;

/** A leader, and an entry of its options that has ticked once. */
async function ticked(
  { engine: { schedules }, now }: { readonly engine: Stage["engine"]; readonly now: number },
  fields: Partial<ScheduledCall> = {},
) {
  const term = await lead(schedules);
  const before = { ...call, ...fields };
  const sync = (changed: Partial<ScheduledCall>) => schedules.sync(term, [{ name: "a", call: { ...before, ...changed } }]);
  await sync({});
  await schedules.advance(term, [advanceOf(await entryOf(schedules, "a"), [tickOf(now - minute)], now - 1000)]);
  return { term, schedules, entry: await entryOf(schedules, "a"), sync };
}

export function describeOptionEntries({ describe, test }: Suite): void {
  describe("entries of the options", () => {
    test("that are new, changed or gone: they are stored or removed, and what was set at run time stays", async (stage) => {
      const { schedules } = stage.engine;
      const term = await lead(schedules);
      const runtime = await prepare(schedules, term, "runtime", 1000);
      equal(
        await schedules.sync(
          term,
          ["same", "changed", "gone"].map((name) => ({ name, call })),
        ),
        true,
      );
      const [changed, same] = [await entryOf(schedules, "changed"), await entryOf(schedules, "same")];
      await schedules.pause("changed");
      const wanted = [
        { name: "same", call },
        { name: "changed", call: other },
        { name: "runtime", call: other },
        { name: "new", call },
      ];
      equal(await schedules.sync(term, wanted), true);
      matches(await schedules.list(), [
        { name: "changed", call: other, origin: "options", paused: true, createdAt: changed.createdAt },
        { name: "new", call, origin: "options", paused: false },
        runtime,
        same,
      ]);
      equal(await schedules.sync(term, []), true);
      equal(await schedules.list(), [runtime]);
    });

    test("that somebody removes: they are not lost, and are not restored in this term", async (stage) => {
      const { schedules } = stage.engine;
      const term = await lead(schedules);
      const entries = [
        { name: "a", call },
        { name: "b", call },
      ];
      await schedules.sync(term, entries);
      await schedules.remove("a");
      equal(await schedules.lost(["a", "b", "c"]), ["c"]);
      equal(await schedules.restore(term, entries), true);
      equal(await schedules.read(["a"]), [undefined]);
      await schedules.resign(term);
      await schedules.sync(await lead(schedules), entries);
      matches(await schedules.list(), [{ name: "a" }, { name: "b" }]);
    });

    for (const [what, changed] of Object.entries<Partial<ScheduledCall>>({
      "other arguments": { args: [3] },
      "other options": { options: { priority: 1 }, catchUp: "all", jitter: 5, limit: 7 },
      "a start that is past": { startAt: 5 },
      "an end that is to come": { endAt: 8e15 },
    })) {
      test(`with ${what}: they are due as before, and count on`, async (stage) => {
        const { schedules, term, entry, sync } = await ticked({ engine: stage.engine, now: stage.now() });
        await sync(changed);
        const after = await entryOf(schedules, "a");
        equal({ ...after, version: "" }, { ...entry, call: { ...call, ...changed }, version: "" });
        equal(await schedules.advance(term, [advanceOf(entry, [tickOf(1)])]), ["changed"]);
      });
    }

    test("with another schedule, or another start that is to come: they are to be computed, and count anew", async (stage) => {
      const now = stage.now();
      const { schedules, sync } = await ticked({ engine: stage.engine, now });
      for (const changed of [{ schedule: { type: "every", every: 30_000 } }, { startAt: now + minute }] as const) {
        await sync(changed);
        matches(await entryOf(schedules, "a"), { count: 0, due: undefined, last: { due: now - minute } });
      }
    });

    test("whose schedule is a function: they are to be computed by each leader, unless they are due", async (stage) => {
      const { schedules } = stage.engine;
      const own = { ...call, schedule: { type: "function" } } as const;
      const term = await lead(schedules);
      const now = stage.now();
      const dues = { due: now - 1000, later: now + minute, never: undefined, paused: now + minute, runtime: now + minute };
      const entries = Object.keys(dues).map((name) => ({ name, call: own }));
      await schedules.set({ name: "runtime", call: own });
      await schedules.sync(term, entries);
      for (const [name, due] of Object.entries(dues)) await schedules.advance(term, [advanceOf(await entryOf(schedules, name), [], due)]);
      await schedules.pause("paused");
      await schedules.sync(term, entries);
      equal(
        (await schedules.due(0, 10)).entries.map(({ name }) => name),
        ["later", "never"],
      );
      matches(await schedules.read(["due", "paused", "runtime"]), [{ due: dues.due }, { due: undefined }, { due: dues.runtime }]);
    });
  });

  describe("entries of the options that are not due any more", () => {
    test("with a higher limit, or an earlier end: they are to be computed", async (stage) => {
      const now = stage.now();
      const { schedules, term, entry, sync } = await ticked({ engine: stage.engine, now }, { limit: 1 });
      await schedules.advance(term, [advanceOf(entry)]);
      matches(await schedules.due(Infinity, 1), { entries: [] });
      await sync({ limit: 2 });
      matches(await schedules.due(0, 1), { entries: [{ name: "a", count: 1 }] });
      await schedules.advance(term, [advanceOf(await entryOf(schedules, "a"), [], now + minute)]);
      await sync({ endAt: Math.floor(now) });
      matches(await schedules.due(0, 1), { entries: [{ name: "a", count: 1 }] });
    });
  });
}
