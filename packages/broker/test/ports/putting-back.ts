import { describe, expect, test } from "vitest";
import { argumentsOf, contentOf, messageOf, numbered, outcomes, settlementOf } from "./messages.js";
import type { Stage } from "./stage.js";
import { hear, take, takeOne } from "./waiting.js";

export function describePuttingBack(stage: () => Stage): void {
  describe("a message that is put back", () => {
    test("comes first, with the same attempt and the next delivery number", async () => {
      await stage().send(...numbered("feeds", 3));
      const consumer = stage().consume(["feeds"]);
      const first = await takeOne(consumer);
      await consumer.settleAndTake({ settle: [settlementOf(first, outcomes.requeued)], take: 0 });
      expect(await stage().locate(first)).toBe("waiting");
      const deliveries = await take(consumer, 3);
      expect(argumentsOf(deliveries)).toEqual([0, 1, 2]);
      expect(deliveries.map(({ number }) => number)).toEqual([2, 1, 1]);
      expect(contentOf(deliveries[0]!)).toEqual(contentOf(first));
    });

    test("keeps its priority, and comes first within it", async () => {
      const priorities = [5, 5, 1, 5, 7];
      await stage().send(...priorities.map((priority, age) => ({ queue: "feeds", message: messageOf({ priority, args: [age] }) })));
      const consumer = stage().consume(["feeds"]);
      const taken = await take(consumer, 2);
      expect(argumentsOf(taken)).toEqual([2, 0]);
      await consumer.settleAndTake({ settle: taken.map((delivery) => settlementOf(delivery, outcomes.requeued)), take: 0 });
      expect(argumentsOf(await take(consumer, 5))).toEqual([2, 0, 1, 3, 4]);
    });

    test.each([0, 5])("is heard by a worker that waits, with priority %s", async (priority) => {
      await stage().send({ queue: "feeds", message: messageOf({ priority }) });
      const [leaving, waiting] = [stage().consume(["feeds"]), stage().consume(["feeds"], { worker: "worker-b" })];
      const delivery = await takeOne(leaving);
      expect(await take(waiting, 1)).toEqual([]);
      const heard = hear(waiting, 1);
      await leaving.settleAndTake({ settle: [settlementOf(delivery, outcomes.requeued)], take: 0 });
      expect(await heard).toMatchObject([{ id: delivery.id, number: 2 }]);
    });

    test("for later lets the others go first, and is the same message then", async () => {
      await stage().send(...numbered("feeds", 3));
      const consumer = stage().consume(["feeds"]);
      const first = await takeOne(consumer);
      const later = { ...outcomes.requeued, eta: Date.now() + 300 };
      await consumer.settleAndTake({ settle: [settlementOf(first, later)], take: 0 });
      expect(argumentsOf(await take(consumer, 3))).toEqual([1, 2]);
      const heard = await hear(consumer, 1);
      expect(Date.now()).toBeGreaterThanOrEqual(later.eta);
      expect(heard).toMatchObject([{ id: first.id, number: 2, crashes: 0 }]);
      expect(contentOf(heard[0]!)).toEqual(contentOf(first));
    });

    test("is not delayed a second time", async () => {
      await stage().send({ queue: "feeds", message: messageOf({ eta: Date.now() + 50 }) });
      const consumer = stage().consume(["feeds"]);
      const [delivery] = await hear(consumer, 1);
      await consumer.settleAndTake({ settle: [settlementOf(delivery!, outcomes.requeued)], take: 0 });
      expect(await takeOne(consumer)).toMatchObject({ id: delivery!.id, number: 2 });
    });
  });
}
