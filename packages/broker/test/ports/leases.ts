import { describe, expect, test } from "vitest";
import { numbered } from "./messages.js";
import type { Stage } from "./stage.js";
import { take } from "./waiting.js";

export function describeLeases(stage: () => Stage): void {
  describe("a lease", () => {
    test("is renewed beside any number of others", async () => {
      await stage().send(...numbered("feeds", 2));
      const consumer = stage().consume(["feeds"]);
      const [first, last] = await take(consumer, 2);
      const gone = Array.from({ length: 50_000 }, (_, number) => ({ ...first!, id: `gone-${number}` }));
      const { lost } = await consumer.renew([first!, ...gone, last!]);
      expect(lost).toHaveLength(gone.length);
      expect(lost.every(({ id }, index) => id === `gone-${index}`)).toBe(true);
    });
  });
}
