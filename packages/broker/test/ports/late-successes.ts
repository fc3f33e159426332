import { describe, expect, test } from "vitest";
import { eventually } from "../../../../integration/lib/eventually.js";
import { contentOf, messageOf, outcomes, settlementOf, storeOf } from "./messages.js";
import type { Consumer } from "../../src/ports/consumer.js";
import type { Delivery } from "../../src/ports/delivery.js";
import type { Settlement } from "../../src/ports/settlement.js";
import type { Stage } from "./stage.js";
import { takeOne } from "./waiting.js";

/** In ms: as short as a busy machine allows. */
const lease = 1000;

export function describeLateSuccesses(stage: () => Stage): void {
  /** A message that one consumer has taken and not renewed until it waited again. */
  async function overtaken(): Promise<{ readonly late: Consumer; readonly delivery: Delivery; readonly other: Consumer }> {
    await stage().send({ queue: "feeds", message: messageOf() });
    const [late, other] = [stage().consume(["feeds"], { lease }), stage().consume(["feeds"], { worker: "worker-b", scan: 100 })];
    const delivery = await takeOne(late);
    await eventually("message to recover", async () => (await other.recover()) === 1);
    return { late, delivery, other };
  }

  const withResult = (delivery: Delivery): Settlement => ({
    ...settlementOf(delivery),
    store: storeOf(delivery.id, { delivery: delivery.number, resultText: String(delivery.number) }),
  });

  describe.each([
    ["with a result", withResult],
    ["without a result", (delivery: Delivery) => settlementOf(delivery)],
  ])("a success after the lease ran out, %s", (_, success) => {
    test("before anybody recovered the message: it is settled", async () => {
      await stage().send({ queue: "feeds", message: messageOf() });
      const late = stage().consume(["feeds"], { lease });
      const delivery = await takeOne(late);
      await eventually("end of the lease", async () => (await stage().locate(delivery)) === "waiting");
      expect(await late.settleAndTake({ settle: [success(delivery)], take: 0 })).toMatchObject({ settled: ["settled"] });
      expect(await stage().counts("feeds")).toMatchObject({ waiting: 0, active: 0, completed: 1 });
      expect(await late.recover()).toBe(0);
    });

    test("while a later delivery runs: it is settled, and the later one learns that its lease is lost", async () => {
      const { late, delivery, other } = await overtaken();
      const later = await takeOne(other);
      await stage().broker.backend.claim([{ id: later.id, delivery: later.number, expires: 60_000, worker: "worker-b" }]);
      expect(await late.settleAndTake({ settle: [success(delivery)], take: 0 })).toMatchObject({ settled: ["settled"] });
      expect(await stage().counts("feeds")).toMatchObject({ waiting: 0, active: 0, completed: 1 });
      expect(await other.renew([later])).toEqual({ lost: [later], revoked: [] });
      expect(await other.settleAndTake({ settle: [settlementOf(later, outcomes.failed)], take: 1 })).toEqual({
        deliveries: [],
        settled: ["lost"],
      });
      await stage().broker.backend.forget([delivery.id]);
    });

    test("while the message waits again: whoever takes it does not run it", async () => {
      const { late, delivery, other } = await overtaken();
      expect(await late.settleAndTake({ settle: [success(delivery)], take: 0 })).toMatchObject({ settled: ["settled"] });
      const again = await takeOne(other);
      expect(again).toMatchObject({ id: delivery.id, number: 2 });
      const claim = { id: again.id, delivery: again.number, expires: 60_000, worker: "worker-b" };
      if (success(delivery).store === undefined) expect(again.verdict).toEqual({ type: "succeeded" });
      else expect(await stage().broker.backend.claim([claim])).toMatchObject([{ state: "SUCCESS", delivery: 1, result: 1 }]);
      await stage().broker.backend.forget([delivery.id]);
    });
  });

  test("a success of a message that was purged and sent anew settles nothing of the new one", async () => {
    const message = messageOf();
    await stage().send({ queue: "feeds", message });
    const consumer = stage().consume(["feeds"]);
    const first = await takeOne(consumer);
    await consumer.settleAndTake({ settle: [settlementOf(first, outcomes.requeued)], take: 0 });
    await takeOne(consumer).then((delivery) => consumer.settleAndTake({ settle: [settlementOf(delivery, outcomes.requeued)], take: 0 }));
    await stage().engine.queues.purge("feeds");
    await stage().send({ queue: "feeds", message });
    expect(await consumer.settleAndTake({ settle: [settlementOf({ ...first, number: 2 })], take: 0 })).toMatchObject({ settled: ["lost"] });
    const anew = await takeOne(consumer);
    expect(anew.verdict).toBeUndefined();
    expect(contentOf(anew).id).toBe(message.id);
  });

  test("a success after another end was stored is lost, and the other end stands", async () => {
    const { late, delivery, other } = await overtaken();
    const later = await takeOne(other);
    const failed = storeOf(later.id, { state: "FAILURE", delivery: later.number });
    await stage().broker.backend.store([failed]);
    expect(await late.settleAndTake({ settle: [withResult(delivery)], take: 0 })).toMatchObject({ settled: ["lost"] });
    expect(await stage().broker.backend.read([delivery.id])).toMatchObject([{ state: "FAILURE", delivery: 2 }]);
    expect(await other.renew([later])).toEqual({ lost: [], revoked: [] });
    await stage().broker.backend.forget([delivery.id]);
  });
}
