import { describe, expect, test } from "vitest";
import { call, type Calendar } from "./calendar.js";

export function describeEntries(at: () => Calendar): void {
  describe("entries", () => {
    test("may be many", async () => {
      const { store, lead } = at();
      const term = await lead();
      const entries = Array.from({ length: 1050 }, (_, number) => ({ name: `e${number}`, call: { ...call, args: ["x".repeat(1000)] } }));
      expect(await store.sync(term, entries)).toBe(true);
      expect((await store.list()).map(({ name }) => name)).toEqual(entries.map(({ name }) => name).toSorted());
      expect(await store.sync(term, entries.slice(1000))).toBe(true);
      expect(await store.list()).toHaveLength(50);
    });
  });
}
