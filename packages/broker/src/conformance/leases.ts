import { equal, matches } from "./assertions.js";
import { numbered, outcomes, routed, settlementOf } from "./messages.js";
import { take, takeAll, takeOne } from "./stage.js";
import type { Suite } from "./suite.js";

/** All were renewed, and none was revoked. */
const all = { lost: [], revoked: [] };

export function describeLeases({ describe, test }: Suite): void {
  describe("a lease", () => {
    test("that is renewed: it holds", async (stage) => {
      const { lease } = stage.space;
      await stage.send(...numbered(2));
      const [consumer, other] = [stage.consume(["feeds"], { lease }), stage.consume(["feeds"], { lease, worker: "worker-b" })];
      const deliveries = await takeAll(consumer, 2);
      const until = stage.now() + 2.5 * lease;
      await stage.eventually("end of two leases and a half", async () => {
        equal(await consumer.renew(deliveries), all);
        equal(await other.recover(), 0);
        return stage.now() > until;
      });
      const { settled } = await consumer.settleAndTake({ settle: deliveries.map((delivery) => settlementOf(delivery)), take: 0 });
      equal(settled, ["settled", "settled"]);
    });

    test("that is not renewed: it is lost, and others run the message under the next number", async (stage) => {
      const { lease } = stage.space;
      await stage.send(...numbered(2));
      const [dead, alive] = [stage.consume(["feeds"], { lease }), stage.consume(["feeds"], { worker: "worker-b" })];
      const [lost, kept] = await takeAll(dead, 2);
      await stage.eventually("end of the lease", async () => {
        equal(await dead.renew([kept]), all);
        return (await stage.locate(lost)) === "waiting";
      });
      equal(await dead.renew([lost, kept]), { ...all, lost: [lost] });
      await stage.eventually("recovery", async () => {
        equal(await dead.renew([kept]), all);
        return (await dead.recover()) === 1;
      });
      const delivery = await takeOne(alive);
      matches(delivery, { id: lost.id, number: 2 });
      equal(await dead.renew([lost]), { ...all, lost: [lost] });
      for (const outcome of [outcomes.failed, outcomes.requeued]) {
        matches(await dead.settleAndTake({ settle: [settlementOf(lost, outcome)], take: 0 }), { settled: ["lost"] });
      }
      equal(await alive.renew([delivery]), all);
      matches(await alive.settleAndTake({ settle: [settlementOf(delivery)], take: 0 }), { settled: ["settled"] });
    });

    test("that ran out: a worker that waits hears of the message once another has recovered it", async (stage) => {
      const { lease } = stage.space;
      await stage.send(routed());
      const [dead, waiting] = [stage.consume(["feeds"], { lease }), stage.consume(["feeds"], { lease, worker: "worker-b" })];
      const delivery = await takeOne(dead);
      equal(await take(waiting, 1), []);
      const scanner = stage.other.consume({ queues: [{ name: "other" }, { name: "feeds" }], order: "strict", lease, worker: "worker-c" });
      await stage.eventually("recovery", async () => (await scanner.recover()) === 1);
      matches(await stage.hear(waiting, 1), [{ id: delivery.id, number: 2 }]);
    });

    test("of nothing: there is nothing to renew", async (stage) => {
      equal(await stage.consume().renew([]), all);
    });

    test("of every take: its token is fresh, and the number of the delivery counts on", async (stage) => {
      await stage.send(...numbered(20));
      const [one, other] = [stage.consume(), stage.consume(["feeds"], { worker: "worker-b" })];
      const tokens = new Set<string>();
      for (let number = 1; number <= 3; number++) {
        const deliveries = [...(await take(one, 10)), ...(await take(other, 10))];
        equal(
          deliveries.map((delivery) => delivery.number),
          deliveries.map(() => number),
        );
        for (const { token } of deliveries) tokens.add(token);
        await one.settleAndTake({ settle: deliveries.map((delivery) => settlementOf(delivery, outcomes.requeued)), take: 0 });
      }
      equal(tokens.size, 60);
    });
  });
}
