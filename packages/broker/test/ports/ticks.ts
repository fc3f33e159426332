import { describe, expect, test } from "vitest";
import type { Term } from "../../src/ports/schedules.js";
import { advanceOf, call, tickOf, type Calendar } from "./calendar.js";
import { contentOf } from "./messages.js";
import { take } from "./waiting.js";

export function describeTicks(at: () => Calendar): void {
  const everything = async (queue: string, count = 1000) => (await take(at().stage.consume([queue]), count)).map(contentOf);

  describe("ticks", () => {
    test("are sent once each, in their order, however often the leader changes", async () => {
      const { store, open, lead, prepare } = at();
      const last = 40;
      const first = await lead();
      await prepare(first, "a", 1);
      await store.resign(first);
      // Each goes on with what it knows, also when it does not lead any more: its term has run out, or it has given it up.
      const beat = async (length: number) => {
        const own = open(length);
        for (let term: Term | undefined; ;) {
          term = (await own.campaign()) ?? term;
          const [entry] = (await own.due(last, 1)).entries;
          if (entry === undefined) return;
          const due = entry.due as number;
          if (term === undefined) continue;
          await own.advance(term, [advanceOf(entry, [tickOf(due)], due + 1)]);
          if (length === long) await own.resign(term);
        }
      };
      // Terms that run out between two commands, and, where every command takes longer, one in which something is done.
      const long = 10_000;
      await Promise.all([beat(5), beat(5), beat(long)]);
      expect((await everything("feeds")).map(({ args }) => args[0])).toEqual(Array.from({ length: last }, (_, index) => index + 1));
    });

    test("may be many, of many entries", async () => {
      const { store, lead, open } = at();
      const term = await lead();
      await store.sync(
        term,
        Array.from({ length: 250 }, (_, number) => ({ name: `e${number}`, call })),
      );
      const entries = await store.list();
      const advances = entries.map((entry, number) =>
        advanceOf(entry, number === 7 ? Array.from({ length: 250 }, (__, due) => tickOf(due)) : [tickOf(1)], 2),
      );
      const outcome = entries.map((_, number) => ({ sent: number === 7 ? 250 : 1, overlapped: 0, duplicates: 0 }));
      expect(await store.advance(term, advances)).toEqual(outcome);
      expect(await open().advance(term, advances)).toEqual(outcome);
      expect(await store.advance(term, [])).toEqual([]);
      expect(await at().stage.counts("feeds")).toMatchObject({ waiting: 499 });
    });
  });
}
