import { describe, expect, test } from "vitest";
import type { Settlement } from "../../src/ports/settlement.js";
import { argumentsOf, messageOf, numbered, outcomes, settlementOf, storeOf } from "./messages.js";
import type { Stage } from "./stage.js";
import { take, takeOne } from "./waiting.js";

export function describeExchanging(stage: () => Stage): void {
  describe("an exchange", () => {
    test("takes as many as asked for, and no more", async () => {
      await stage().send(...numbered("feeds", 5));
      const consumer = stage().consume(["feeds"]);
      expect(argumentsOf(await take(consumer, 3))).toEqual([0, 1, 2]);
      expect(await take(consumer, 0)).toEqual([]);
      expect(argumentsOf(await take(consumer, 3))).toEqual([3, 4]);
      expect(await take(consumer, 3)).toEqual([]);
    });

    test("settles and takes in one call, and settles first", async () => {
      await stage().send(...numbered("feeds", 3));
      const consumer = stage().consume(["feeds"]);
      const first = await take(consumer, 2);
      const { settled, deliveries } = await consumer.settleAndTake({
        settle: [settlementOf(first[0]!, outcomes.requeued), settlementOf(first[1]!)],
        take: 2,
      });
      expect(settled).toEqual(["settled", "settled"]);
      // The one that was put back comes again, before the one that waits.
      expect(argumentsOf(deliveries)).toEqual([0, 2]);
    });

    test.each([
      ["succeeded", outcomes.succeeded, { completed: 1, failed: 0 }],
      ["failed", outcomes.failed, { completed: 0, failed: 1 }],
      ["failed, to be buried", outcomes.dead, { completed: 0, failed: 1 }],
      ["revoked", outcomes.revoked, { completed: 0, failed: 1 }],
    ])("a message that %s is gone", async (_, outcome, finished) => {
      await stage().send({ queue: "feeds", message: messageOf() });
      const consumer = stage().consume(["feeds"]);
      const delivery = await takeOne(consumer);
      expect(await stage().counts("feeds")).toEqual({ waiting: 0, delayed: 0, active: 1, completed: 0, failed: 0 });
      const { settled } = await consumer.settleAndTake({ settle: [settlementOf(delivery, outcome)], take: 5 });
      expect(settled).toEqual(["settled"]);
      expect(await stage().counts("feeds")).toEqual({ waiting: 0, delayed: 0, active: 0, ...finished });
      expect(await stage().locate(delivery)).toBe("absent");
    });

    test("settles each on its own", async () => {
      await stage().send(...numbered("feeds", 4));
      const consumer = stage().consume(["feeds"]);
      const [a, b, c, d] = await take(consumer, 4);
      const forged = { ...b!, token: "forged" };
      const { settled } = await consumer.settleAndTake({
        settle: [
          settlementOf(a!),
          settlementOf(forged, outcomes.failed),
          settlementOf(c!, outcomes.failed),
          settlementOf(d!, outcomes.requeued),
        ],
        take: 0,
      });
      expect(settled).toEqual(["settled", "lost", "settled", "settled"]);
      expect(await stage().counts("feeds")).toEqual({ waiting: 1, delayed: 0, active: 1, completed: 1, failed: 1 });
    });

    test("gives every delivery a token of its own, and counts the deliveries of a message", async () => {
      await stage().send(...numbered("feeds", 20));
      const [one, other] = [stage().consume(["feeds"]), stage().consume(["feeds"], { worker: "worker-b" })];
      const tokens = new Set<string>();
      for (let number = 1; number <= 3; number++) {
        const deliveries = [...(await take(one, 10)), ...(await take(other, 10))];
        expect(deliveries.map((delivery) => delivery.number)).toEqual(deliveries.map(() => number));
        for (const { token } of deliveries) tokens.add(token);
        await one.settleAndTake({ settle: deliveries.map((delivery) => settlementOf(delivery, outcomes.requeued)), take: 0 });
      }
      expect(tokens.size).toBe(60);
    });
  });

  describe("a settlement", () => {
    test("stores its result, whatever else becomes of it", async () => {
      await stage().send(...numbered("feeds", 2));
      const consumer = stage().consume(["feeds"]);
      const deliveries = await take(consumer, 2);
      const settle = deliveries.map((delivery): Settlement => ({
        ...settlementOf(delivery),
        store: storeOf(delivery.id, { resultText: "[3]" }),
      }));
      const { settled } = await consumer.settleAndTake({ settle, take: 0 });
      expect(settled).toEqual(["settled", "settled"]);
      const records = await stage().broker.backend.read(deliveries.map(({ id }) => id));
      expect(records).toEqual(deliveries.map(() => ({ state: "SUCCESS", delivery: 1, result: [3] })));
      await stage().broker.backend.forget(deliveries.map(({ id }) => id));
    });

    test("whose result is refused, because there is one, is a settlement all the same", async () => {
      await stage().send({ queue: "feeds", message: messageOf() });
      const consumer = stage().consume(["feeds"]);
      const delivery = await takeOne(consumer);
      await stage().broker.backend.store([storeOf(delivery.id, { state: "REVOKED", reason: "by hand" })]);
      const { settled } = await consumer.settleAndTake({ settle: [{ ...settlementOf(delivery), store: storeOf(delivery.id) }], take: 0 });
      expect(settled).toEqual(["settled"]);
      expect(await stage().broker.backend.read([delivery.id])).toMatchObject([{ state: "REVOKED" }]);
      await stage().broker.backend.forget([delivery.id]);
    });

    test("of another's delivery is lost, and changes nothing, unless it is a success", async () => {
      await stage().send({ queue: "feeds", message: messageOf() });
      const [zombie, worker] = [stage().consume(["feeds"]), stage().consume(["feeds"], { worker: "worker-b" })];
      const old = await takeOne(zombie);
      await zombie.settleAndTake({ settle: [settlementOf(old, outcomes.requeued)], take: 0 });
      const delivery = await takeOne(worker);
      for (const outcome of Object.values(outcomes).filter(({ type }) => type !== "succeeded")) {
        expect(await zombie.settleAndTake({ settle: [settlementOf(old, outcome)], take: 0 })).toMatchObject({ settled: ["lost"] });
      }
      expect(await stage().locate(delivery)).toBe("taken");
      expect(await worker.settleAndTake({ settle: [settlementOf(delivery)], take: 0 })).toMatchObject({ settled: ["settled"] });
    });

    test.each(Object.entries(outcomes))("of a delivery that was settled already does nothing: %s", async (_, outcome) => {
      await stage().send({ queue: "feeds", message: messageOf() });
      const consumer = stage().consume(["feeds"]);
      const settle = [settlementOf(await takeOne(consumer), outcome)];
      await consumer.settleAndTake({ settle, take: 0 });
      const before = await stage().counts("feeds");
      expect(await consumer.settleAndTake({ settle: [...settle, ...settle], take: 0 })).toMatchObject({ settled: ["lost", "lost"] });
      expect(await stage().counts("feeds")).toEqual(before);
    });

    test("of a message that nobody has any more is lost", async () => {
      await stage().send({ queue: "feeds", message: messageOf() });
      const consumer = stage().consume(["feeds"]);
      const delivery = await takeOne(consumer);
      const gone = { ...delivery, id: messageOf().id };
      const { settled } = await consumer.settleAndTake({ settle: [settlementOf(gone), settlementOf(gone, outcomes.requeued)], take: 0 });
      expect(settled).toEqual(["lost", "lost"]);
      expect(await stage().counts("feeds")).toMatchObject({ waiting: 0, active: 1, completed: 0 });
    });
  });
}
