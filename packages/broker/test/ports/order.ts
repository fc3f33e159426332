import { describe, expect, test } from "vitest";
import type { Consumer } from "../../src/ports/consumer.js";
import { numbered, settlementOf } from "./messages.js";
import type { Stage } from "./stage.js";
import { take } from "./waiting.js";

export function describeOrder(stage: () => Stage): void {
  /** The queues from which `total` messages come, in their order, when `each` are taken at once. */
  async function queuesOf(consumer: Consumer, total: number, each = total): Promise<string> {
    let queues = "";
    while (queues.length < total) {
      const deliveries = await take(consumer, each);
      if (deliveries.length === 0) break;
      queues += deliveries.map(({ queue }) => queue).join("");
    }
    return queues;
  }

  const sorted = (queues: string) => queues.split("").toSorted().join("");

  const fill = (counts: Readonly<Record<string, number>>) =>
    stage().send(...Object.entries(counts).flatMap(([queue, count]) => numbered(queue, count)));

  describe("several queues in turn", () => {
    test.each([1, 2, 5, 12])("give one message each, taken %d at a time", async (each) => {
      await fill({ a: 4, b: 4, c: 4 });
      expect(await queuesOf(stage().consume(["a", "b", "c"]), 12, each)).toBe("abcabcabcabc");
    });

    test.each([1, 3, 16])("give by their weights, spread evenly, taken %d at a time", async (each) => {
      await fill({ a: 12, b: 4 });
      const consumer = stage().consume([{ name: "a", weight: 3 }, { name: "b" }]);
      expect(await queuesOf(consumer, 16, each)).toBe("aaba".repeat(4));
    });

    test("leave out those that are empty, and go on until all are", async () => {
      await fill({ a: 1, c: 4 });
      expect(await queuesOf(stage().consume(["a", "b", "c"]), 10)).toBe("acccc");
    });

    test("leave their turn to others only for as long as they are empty", async () => {
      await fill({ a: 6 });
      const consumer = stage().consume(["a", "b"]);
      expect(await queuesOf(consumer, 3)).toBe("aaa");
      await fill({ b: 3 });
      expect(sorted(await queuesOf(consumer, 6, 1))).toBe("aaabbb");
      expect(await queuesOf(consumer, 1)).toBe("");
    });

    test("give their share of what is taken, however uneven they are filled", async () => {
      await fill({ a: 60, b: 30, c: 3 });
      const taken = await queuesOf(stage().consume(["a", "b", "c"]), 60, 7);
      const share = (queue: string) => taken.split(queue).length - 1;
      expect(share("c")).toBe(3);
      expect(Math.abs(share("a") - share("b"))).toBeLessThanOrEqual(4);
    });

    test("do not starve one that is filled while the others always have more", async () => {
      await fill({ a: 3, b: 3 });
      const consumer = stage().consume(["a", "b", "c"]);
      await take(consumer, 2);
      expect(await queuesOf(consumer, 4)).toHaveLength(4);
      await fill({ a: 50, b: 50, c: 1 });
      expect(await queuesOf(consumer, 6, 1)).toContain("c");
    });
  });

  describe("several queues in strict order", () => {
    test.each([1, 4, 20])("give from a queue only while those before it are empty, taken %d at a time", async (each) => {
      await fill({ a: 3, b: 3, c: 3 });
      expect(await queuesOf(stage().consume(["b", "a", "c"], { order: "strict" }), 20, each)).toBe("bbbaaaccc");
    });

    test("what comes into an earlier queue overtakes", async () => {
      await fill({ b: 4 });
      const consumer = stage().consume(["a", "b"], { order: "strict" });
      const [first] = await take(consumer, 1);
      expect(first?.queue).toBe("b");
      await fill({ a: 2 });
      const { deliveries } = await consumer.settleAndTake({ settle: [settlementOf(first!)], take: 3 });
      expect(deliveries.map(({ queue }) => queue).join("")).toBe("aab");
    });
  });
}
