import { describe, expect, test } from "vitest";
import { eventually } from "../../../../integration/lib/eventually.js";
import type { Consumer } from "../../src/ports/consumer.js";
import type { Delivery } from "../../src/ports/delivery.js";
import { encodeMessage } from "../../src/protocol/codec.js";
import { contentOf, messageOf, outcomes, settlementOf } from "./messages.js";
import type { Stage } from "./stage.js";
import { hear, take, takeOne } from "./waiting.js";

/** In ms. Longer than a slow machine needs from taking a message to beginning it. */
const lease = 1000;

export function describeCrashes(stage: () => Stage): void {
  async function start(): Promise<Consumer> {
    await stage().send({ queue: "feeds", message: messageOf() });
    return stage().consume(["feeds"], { lease });
  }

  /** The next delivery of a message whose lease is left to run out. */
  function again(consumer: Consumer): Promise<Delivery> {
    return eventually("recovery", async () => {
      await consumer.recover();
      const [delivery] = await take(consumer, 1);
      return delivery;
    });
  }

  describe("the crashes of a message", () => {
    test("are none at first, then one for each time that it began and did not end", async () => {
      const consumer = await start();
      expect(await takeOne(consumer)).toMatchObject({ number: 1, crashes: 0 });
      for (const crashes of [1, 2, 3]) {
        const delivery = await again(consumer);
        expect(delivery).toMatchObject({ number: crashes + 1, crashes });
        expect(await consumer.begin(delivery)).toBe(true);
      }
    });

    test("do not count deliveries that never began, but for the first, of which nobody knows", async () => {
      const consumer = await start();
      await takeOne(consumer);
      for (let lost = 0; lost < 3; lost++) expect(await again(consumer)).toMatchObject({ crashes: 1 });
    });

    test("do not count what was put back", async () => {
      const consumer = await start();
      for (let round = 0; round < 3; round++) {
        const delivery = await takeOne(consumer);
        expect(delivery).toMatchObject({ number: round + 1, crashes: 0 });
        if (round > 0) await consumer.begin(delivery);
        await consumer.settleAndTake({ settle: [settlementOf(delivery, outcomes.requeued)], take: 0 });
      }
    });

    test("stay counted when a delivery after them is put back that never began", async () => {
      const consumer = await start();
      await takeOne(consumer);
      for (let round = 0; round < 3; round++) {
        const delivery = await (round === 0 ? again(consumer) : takeOne(consumer));
        expect(delivery).toMatchObject({ number: round + 2, crashes: 1 });
        await consumer.settleAndTake({ settle: [settlementOf(delivery, outcomes.requeued)], take: 0 });
      }
    });

    test("are counted once each, however often it is said that they began and that they ended", async () => {
      const consumer = await start();
      const first = await takeOne(consumer);
      const second = await again(consumer);
      for (let said = 0; said < 3; said++) expect(await consumer.begin(second)).toBe(true);
      const third = await again(consumer);
      expect(third).toMatchObject({ crashes: 2 });
      for (let said = 0; said < 3; said++) await consumer.end(first);
      expect(await again(consumer)).toMatchObject({ crashes: 1 });
    });

    test("count what was given back by a worker whose runner died, at once", async () => {
      const consumer = await start();
      for (const crashes of [0, 1, 2]) {
        const delivery = await takeOne(consumer);
        expect(delivery).toMatchObject({ number: crashes + 1, crashes });
        if (crashes > 0) await consumer.begin(delivery);
        const settle = [settlementOf(delivery, { type: "crashed", reason: "its process died" })];
        expect(await consumer.settleAndTake({ settle, take: 0 })).toMatchObject({ settled: ["settled"] });
      }
    });

    test("do not count a run whose lease was lost while its worker lived on", async () => {
      const consumer = await start();
      const slow = await takeOne(consumer);
      const delivery = await again(consumer);
      expect(delivery).toMatchObject({ crashes: 1 });
      expect(await consumer.begin(slow)).toBe(false);
      await consumer.end(slow);
      await consumer.begin(delivery);
      expect(await again(consumer)).toMatchObject({ crashes: 1 });
    });
  });

  describe("a message that is to be tried again", () => {
    const failure = { name: "Error", message: "no luck" };

    test.each([0, 150])("comes as its next attempt after %s ms, with the same id, and nothing of it is a crash", async (delay) => {
      const consumer = await start();
      const first = await takeOne(consumer);
      const message = { ...contentOf(first), retries: 1, args: [3, 4] };
      const eta = Date.now() + delay;
      const outcome = { type: "retried", failure, text: encodeMessage(message), eta } as const;
      expect(await consumer.settleAndTake({ settle: [settlementOf(first, outcome)], take: 0 })).toMatchObject({ settled: ["settled"] });
      expect(await stage().counts("feeds")).toMatchObject({ active: 0, waiting: delay === 0 ? 1 : 0, delayed: delay === 0 ? 0 : 1 });
      const [second] = await hear(consumer, 1);
      expect(Date.now()).toBeGreaterThanOrEqual(eta - 1);
      expect(second).toMatchObject({ id: first.id, number: 2, crashes: 0 });
      expect(contentOf(second!)).toEqual(message);
      // Whoever lost it cannot try it again.
      expect(await consumer.settleAndTake({ settle: [settlementOf(first, outcome)], take: 0 })).toMatchObject({ settled: ["lost"] });
    });
  });
}
