import { describe, expect, test } from "vitest";
import { eventually } from "../../../../integration/lib/eventually.js";
import type { Consumer } from "../../src/ports/consumer.js";
import { messageOf, numbered, outcomes, settlementOf } from "./messages.js";
import type { Stage } from "./stage.js";
import { hear, take, takeOne } from "./waiting.js";

/** In ms: as short as a busy machine allows. */
const lease = 1000;

/** All were renewed, and none was revoked. */
const all = { lost: [], revoked: [] };

export function describeLeases(stage: () => Stage): void {
  const recovered = (consumer: Consumer) =>
    eventually("message to recover", async () => (await consumer.recover()) || undefined, 10 * lease);

  describe("a lease", () => {
    test("holds for as long as it is renewed", async () => {
      await stage().send(...numbered("feeds", 2));
      const [consumer, other] = [stage().consume(["feeds"], { lease }), stage().consume(["feeds"], { lease, worker: "worker-b" })];
      const deliveries = await take(consumer, 2);
      const until = Date.now() + 2.5 * lease;
      await eventually("end of two leases and a half", async () => {
        expect(await consumer.renew(deliveries)).toEqual(all);
        expect(await other.recover()).toBe(0);
        return Date.now() > until;
      });
      const { settled } = await consumer.settleAndTake({ settle: deliveries.map((delivery) => settlementOf(delivery)), take: 0 });
      expect(settled).toEqual(["settled", "settled"]);
    });

    test("that was not renewed is lost: others run the message, under the next number", async () => {
      await stage().send(...numbered("feeds", 3));
      const [dead, alive] = [stage().consume(["feeds"], { lease }), stage().consume(["feeds"], { worker: "worker-b" })];
      const [lost, ended, kept] = await take(dead, 3);
      await dead.settleAndTake({ settle: [settlementOf(ended!)], take: 0 });
      await eventually("end of the lease", async () => {
        expect(await dead.renew([kept!])).toEqual(all);
        return (await stage().locate(lost!)) === "waiting";
      });
      // It is lost from here on, whether or not somebody has it already.
      expect(await dead.renew([lost!, kept!])).toEqual({ ...all, lost: [lost] });
      const { settled } = await dead.settleAndTake({ settle: [settlementOf(lost!, outcomes.failed), settlementOf(kept!)], take: 0 });
      expect(settled).toEqual(["lost", "settled"]);

      expect(await recovered(dead)).toBe(1);
      expect(await dead.recover()).toBe(0);
      const delivery = await takeOne(alive);
      expect(delivery).toMatchObject({ id: lost!.id, number: 2 });
      expect(await dead.renew([lost!])).toEqual({ ...all, lost: [lost] });
      for (const outcome of [outcomes.failed, outcomes.requeued]) {
        expect(await dead.settleAndTake({ settle: [settlementOf(lost!, outcome)], take: 0 })).toMatchObject({ settled: ["lost"] });
      }
      expect(await alive.renew([delivery])).toEqual(all);
      expect(await alive.settleAndTake({ settle: [settlementOf(delivery)], take: 0 })).toMatchObject({ settled: ["settled"] });
    });

    test("that ran out is somebody else's to find: a worker that waits hears of it", async () => {
      await stage().send({ queue: "feeds", message: messageOf() });
      const [dead, waiting] = [stage().consume(["feeds"], { lease }), stage().consume(["feeds"], { lease, worker: "worker-b" })];
      const delivery = await takeOne(dead);
      expect(await take(waiting, 1)).toEqual([]);
      const heard = hear(waiting, 1);
      const scanner = stage().consume(["other", "feeds"], { lease, worker: "worker-c" });
      expect(await recovered(scanner)).toBe(1);
      expect(await heard).toMatchObject([{ id: delivery.id, number: 2 }]);
    });

    test("is renewed beside any number of others", async () => {
      await stage().send(...numbered("feeds", 2));
      const consumer = stage().consume(["feeds"]);
      const [first, last] = await take(consumer, 2);
      const gone = Array.from({ length: 50_000 }, (_, number) => ({ ...first!, id: `gone-${number}` }));
      const { lost } = await consumer.renew([first!, ...gone, last!]);
      expect(lost).toHaveLength(gone.length);
      expect(lost.every(({ id }, index) => id === `gone-${index}`)).toBe(true);
    });

    test("of nothing needs no renewing", async () => {
      expect(await stage().consume(["feeds"]).renew([])).toEqual(all);
    });
  });
}
