import type { Consumer } from "../ports/consumer.js";
import type { Delivery } from "../ports/delivery.js";
import { equal, matches } from "./assertions.js";
import { messageOf, outcomes, routed, settlementOf, storeOf, successOf } from "./messages.js";
import { takeOne, type Stage } from "./stage.js";
import type { Suite } from "./suite.js";

/** A message that one consumer has taken and not renewed until it waited again. */
async function overtaken(stage: Stage): Promise<{ readonly late: Consumer; readonly delivery: Delivery; readonly next: Consumer }> {
  const { lease } = stage.space;
  await stage.send(routed());
  const late = stage.consume(["feeds"], { lease });
  const next = stage.other.consume({ queues: [{ name: "feeds" }], order: "strict", lease: 30_000, scan: 100, worker: "worker-b" });
  const delivery = await takeOne(late);
  await stage.eventually("recovery", async () => (await next.recover()) === 1);
  return { late, delivery, next };
}

const kinds = { "with a result": successOf, "without a result": (delivery: Delivery) => settlementOf(delivery) };

export function describeFencing({ describe, test }: Suite): void {
  describe("a settlement that comes too late", () => {
    test("of a delivery that another worker has by now: it is lost, and changes nothing", async (stage) => {
      const { late, delivery, next } = await overtaken(stage);
      const later = await takeOne(next);
      for (const outcome of [outcomes.failed, outcomes.dead, outcomes.revoked, outcomes.requeued]) {
        matches(await late.settleAndTake({ settle: [settlementOf(delivery, outcome)], take: 0 }), { settled: ["lost"] });
      }
      equal(await stage.locate(later), "taken");
      matches(await next.settleAndTake({ settle: [settlementOf(later)], take: 0 }), { settled: ["settled"] });
    });

    for (const [name, outcome] of Object.entries(outcomes)) {
      test(`of a delivery that was settled already as ${name}: it is lost`, async (stage) => {
        await stage.send(routed());
        const consumer = stage.consume();
        const settle = [settlementOf(await takeOne(consumer), outcome)];
        await consumer.settleAndTake({ settle, take: 0 });
        const before = await stage.counts();
        matches(await consumer.settleAndTake({ settle: [...settle, ...settle], take: 0 }), { settled: ["lost", "lost"] });
        equal(await stage.counts(), before);
      });
    }

    test("of a message that nobody has: it is lost", async (stage) => {
      await stage.send(routed());
      const consumer = stage.consume();
      const gone = { ...(await takeOne(consumer)), id: messageOf().id };
      const settle = [settlementOf(gone), settlementOf(gone, outcomes.requeued)];
      equal((await consumer.settleAndTake({ settle, take: 0 })).settled, ["lost", "lost"]);
      matches(await stage.counts(), { waiting: 0, active: 1, completed: 0 });
    });

    test("with a result, where another was stored first: it is settled, and the first result stands", async (stage) => {
      await stage.send(routed());
      const consumer = stage.consume();
      const delivery = await takeOne(consumer);
      await stage.other.results.store([storeOf(delivery.id, { state: "REVOKED", reason: "by hand" })]);
      equal((await consumer.settleAndTake({ settle: [successOf(delivery)], take: 0 })).settled, ["settled"]);
      matches(await stage.recordOf(delivery.id), { state: "REVOKED", reason: "by hand" });
    });
  });

  for (const [kind, success] of Object.entries(kinds)) {
    describe(`a success after the lease ran out, ${kind}`, () => {
      test("before anybody recovered the message: it is settled", async (stage) => {
        const { lease } = stage.space;
        await stage.send(routed());
        const late = stage.consume(["feeds"], { lease });
        const delivery = await takeOne(late);
        await stage.eventually("end of the lease", async () => (await stage.locate(delivery)) === "waiting");
        matches(await late.settleAndTake({ settle: [success(delivery)], take: 0 }), { settled: ["settled"] });
        matches(await stage.counts(), { waiting: 0, active: 0, completed: 1 });
        equal(await late.recover(), 0);
      });

      test("while a later delivery runs: it is settled, and the later one is lost", async (stage) => {
        const { late, delivery, next } = await overtaken(stage);
        const later = await takeOne(next);
        await stage.engine.results.claim([{ id: later.id, delivery: later.number, expires: 60_000, worker: "worker-b" }]);
        matches(await late.settleAndTake({ settle: [success(delivery)], take: 0 }), { settled: ["settled"] });
        matches(await stage.counts(), { waiting: 0, active: 0, completed: 1 });
        equal(await next.renew([later]), { lost: [later], revoked: [] });
        matches(await next.settleAndTake({ settle: [settlementOf(later, outcomes.failed)], take: 1 }), {
          deliveries: [],
          settled: ["lost"],
        });
      });

      test("while the message waits again: whoever takes it learns that it is done", async (stage) => {
        const { late, delivery, next } = await overtaken(stage);
        matches(await late.settleAndTake({ settle: [success(delivery)], take: 0 }), { settled: ["settled"] });
        const again = await takeOne(next);
        matches(again, { id: delivery.id, number: 2 });
        if (success(delivery).store === undefined) return equal(again.verdict, { type: "succeeded" });
        const [claimed] = await stage.engine.results.claim([{ id: again.id, delivery: 2, expires: 60_000, worker: "worker-b" }]);
        matches(claimed, { state: "SUCCESS", delivery: 1, result: 1 });
      });
    });
  }

  test("a success after another end was stored: it is lost, and the other end stands", async (stage) => {
    const { late, delivery, next } = await overtaken(stage);
    const later = await takeOne(next);
    await stage.engine.results.store([storeOf(later.id, { state: "FAILURE", delivery: later.number })]);
    matches(await late.settleAndTake({ settle: [successOf(delivery)], take: 0 }), { settled: ["lost"] });
    matches(await stage.recordOf(delivery.id), { state: "FAILURE", delivery: 2 });
    equal(await next.renew([later]), { lost: [], revoked: [] });
  });

  test("a success of a message that was purged and sent anew: it settles nothing of the new one", async (stage) => {
    const message = messageOf();
    await stage.send({ queue: "feeds", message });
    const consumer = stage.consume();
    const first = await takeOne(consumer);
    await consumer.settleAndTake({ settle: [settlementOf(first, outcomes.requeued)], take: 0 });
    await stage.engine.queues.purge("feeds");
    await stage.send({ queue: "feeds", message });
    matches(await consumer.settleAndTake({ settle: [settlementOf({ ...first, number: 2 })], take: 0 }), { settled: ["lost"] });
    equal((await takeOne(consumer)).verdict, undefined);
  });
}
