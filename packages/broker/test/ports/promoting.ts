import { describe, expect, test } from "vitest";
import { argumentsOf, messageOf, numbered, outcomes, settlementOf } from "./messages.js";
import type { Stage } from "./stage.js";
import { hear, take, takeOne } from "./waiting.js";

export function describePromoting(stage: () => Stage): void {
  const at = (queue: string, ...messages: readonly { readonly message: { readonly id: string } }[]) =>
    messages.map(({ message: { id } }) => ({ id, queues: [queue] }));

  describe("messages that are moved to the front", () => {
    test("are taken next, the first of them first, and once", async () => {
      const sent = numbered("feeds", 5);
      await stage().send(...sent);
      const consumer = stage().consume(["feeds"]);
      expect(await consumer.promote(at("feeds", sent[3]!, sent[4]!))).toEqual([true, true]);
      expect(argumentsOf(await take(consumer, 10))).toEqual([3, 4, 0, 1, 2]);
      expect(await stage().counts("feeds")).toMatchObject({ waiting: 0, active: 5 });
    });

    test("may be moved again, or be in front already", async () => {
      const sent = numbered("feeds", 3);
      await stage().send(...sent);
      const consumer = stage().consume(["feeds"]);
      for (const one of [sent[0]!, sent[2]!, sent[2]!]) expect(await consumer.promote(at("feeds", one))).toEqual([true]);
      expect(await stage().counts("feeds")).toMatchObject({ waiting: 3 });
      expect(argumentsOf(await take(consumer, 10))).toEqual([2, 0, 1]);
    });

    test("overtake those without a priority though they have one, and keep it", async () => {
      const low = { queue: "feeds", message: messageOf({ priority: 9, args: ["low"] }) };
      await stage().send(...numbered("feeds", 2), low);
      const consumer = stage().consume(["feeds"]);
      expect(await consumer.promote(at("feeds", low))).toEqual([true]);
      const first = await takeOne(consumer);
      expect(argumentsOf([first])).toEqual(["low"]);
      await consumer.settleAndTake({ settle: [settlementOf(first, outcomes.requeued)], take: 0 });
      expect(argumentsOf(await take(consumer, 10))).toEqual([0, 1, "low"]);
    });

    test("are moved when they are due, not before", async () => {
      const soon = { queue: "feeds", message: messageOf({ eta: Date.now() + 300, args: ["soon"] }) };
      const late = { queue: "feeds", message: messageOf({ eta: Date.now() + 60_000, args: ["late"] }) };
      await stage().send(...numbered("feeds", 1), soon, late);
      const consumer = stage().consume(["feeds"]);
      await expect.poll(() => consumer.promote(at("feeds", soon, late))).toEqual([true, false]);
      expect(argumentsOf(await take(consumer, 10))).toEqual(["soon", 0]);
      expect(await stage().counts("feeds")).toMatchObject({ delayed: 1 });
    });

    test("are heard of by a worker that waits", async () => {
      const waiting = stage().consume(["feeds"]);
      expect(await take(waiting, 1)).toEqual([]);
      const heard = hear(waiting, 1);
      const sent = numbered("feeds", 1);
      await stage().send(...sent);
      await stage()
        .consume(["feeds"], { worker: "worker-b" })
        .promote(at("feeds", ...sent));
      expect(argumentsOf(await heard)).toEqual([0]);
    });

    test("stay where they are when they are on loan, have ended, are unknown, or in a queue of others", async () => {
      const sent = numbered("feeds", 2);
      const other = numbered("mail", 1);
      await stage().send(...sent, ...other);
      const consumer = stage().consume(["feeds"]);
      const [taken, ended] = await take(consumer, 2);
      await consumer.settleAndTake({ settle: [settlementOf(ended!)], take: 0 });
      const unknown = { message: messageOf() };
      const asked = [...at("feeds", { message: { id: taken!.id } }, { message: { id: ended!.id } }, unknown), ...at("mail", ...other)];
      expect(await consumer.promote(asked)).toEqual([false, false, false, false]);
      expect(await take(consumer, 1)).toEqual([]);
    });

    test("are found in whichever of their queues they are", async () => {
      const sent = numbered("mail", 2);
      await stage().send(...sent);
      const consumer = stage().consume(["feeds", "mail"]);
      const [id] = sent.map(({ message }) => message.id).slice(1);
      expect(await consumer.promote([{ id: id!, queues: ["elsewhere", "feeds", "mail"] }])).toEqual([true]);
      expect(argumentsOf(await take(consumer, 2))).toEqual([1, 0]);
    });
  });
}
