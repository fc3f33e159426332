import { describe, expect, test } from "vitest";
import { eventually } from "../../../../integration/lib/eventually.js";
import type { Term } from "../../src/ports/schedules.js";
import { advanceOf, call, tickOf, type Calendar } from "./calendar.js";

export function describeTerms(at: () => Calendar): void {
  describe("terms", () => {
    test("one beat leads at a time", async () => {
      const { store, open } = at();
      const terms = await Promise.all([store, open(), open()].map((one) => one.campaign()));
      expect(terms.filter((term) => term !== undefined)).toMatchObject([{ epoch: 1 }]);
      expect(await store.campaign()).toBeUndefined();
    });

    test("who resigns lets another one lead at once, and tells; again and afterwards, nothing happens", async () => {
      const { store, open, lead } = at();
      const other = open();
      const told: string[] = [];
      const stop = await other.subscribe((news) => told.push(news));
      const first = await lead();
      await store.resign(first);
      await eventually("word of it", () => told.length === 1);
      const second = await other.campaign();
      expect(second).toMatchObject({ epoch: first.epoch + 1 });
      expect(second?.token).not.toBe(first.token);
      await store.resign(first);
      expect(await other.renew(second as Term)).toBe(true);
      await store.set({ name: "a", call });
      await eventually("word of the entry", () => told.length > 1);
      expect(told).toEqual(["resigned", "changed"]);
      stop();
    });

    test("a term lasts while it is renewed, and no longer", async () => {
      const { store, open } = at();
      const short = open(500);
      const term = (await short.campaign()) as Term;
      // Three times as long as it would last.
      for (const end = Date.now() + 1500; Date.now() < end;) {
        expect(await short.renew(term)).toBe(true);
        expect(await store.campaign()).toBeUndefined();
      }
      expect(await eventually("end of the term", () => store.campaign())).toMatchObject({ epoch: 2 });
      expect(await short.renew(term)).toBe(false);
    });

    test.each([
      ["was given up", 10_000],
      ["ran out", 100],
      ["ran out, and somebody else leads", 100],
    ])("nothing is written by one whose term %s", async (how, lasts) => {
      const { stage, store, open, lead, read } = at();
      const beat = open(lasts);
      const term = (await beat.campaign()) as Term;
      await store.set({ name: "a", call });
      const entry = await read("a");
      if (how === "was given up") await beat.resign(term);
      const next = await eventually("end of the term", () => store.campaign());
      if (how === "ran out") await store.resign(next);
      expect(await beat.renew(term)).toBe(false);
      expect(await beat.sync(term, [{ name: "b", call }])).toBe(false);
      expect(await beat.sync(term, [])).toBe(false);
      expect(await beat.restore(term, [{ name: "b", call }])).toBe(false);
      expect(await beat.advance(term, [advanceOf(entry, [tickOf(1)], 2), advanceOf(entry)])).toEqual(["deposed", "deposed"]);
      expect(await store.list()).toEqual([entry]);
      expect(await stage.counts("feeds")).toMatchObject({ waiting: 0 });
      if (how === "ran out") await lead();
      else expect(await store.renew(next)).toBe(true);
    });
  });
}
