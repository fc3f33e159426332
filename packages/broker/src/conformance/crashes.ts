import type { Consumer } from "../ports/consumer.js";
import type { Delivery } from "../ports/delivery.js";
import { equal, matches } from "./assertions.js";
import { outcomes, routed, settlementOf } from "./messages.js";
import { take, takeOne, type Stage } from "./stage.js";
import type { Suite } from "./suite.js";

async function start(stage: Stage): Promise<Consumer> {
  await stage.send(routed());
  return stage.consume(["feeds"], { lease: stage.space.lease });
}

/** The next delivery of a message whose lease is left to run out. */
function again(stage: Stage, consumer: Consumer): Promise<Delivery> {
  return stage.eventually("recovery", async () => {
    await consumer.recover();
    return (await take(consumer, 1))[0];
  });
}

export function describeCrashes({ describe, test }: Suite): void {
  describe("the crashes of a message", () => {
    test("that began three times and did not end: they are counted, the first run included", async (stage) => {
      const consumer = await start(stage);
      matches(await takeOne(consumer), { number: 1, crashes: 0 });
      for (const crashes of [1, 2, 3]) {
        const delivery = await again(stage, consumer);
        matches(delivery, { number: crashes + 1, crashes });
        equal(await consumer.begin(delivery), true);
      }
    });

    test("that never began after its first delivery: only that one counts", async (stage) => {
      const consumer = await start(stage);
      await takeOne(consumer);
      for (let lost = 0; lost < 2; lost++) matches(await again(stage, consumer), { crashes: 1 });
    });

    test("that is put back: it has none", async (stage) => {
      const consumer = await start(stage);
      for (let round = 0; round < 3; round++) {
        const delivery = await takeOne(consumer);
        matches(delivery, { number: round + 1, crashes: 0 });
        if (round > 0) await consumer.begin(delivery);
        await consumer.settleAndTake({ settle: [settlementOf(delivery, outcomes.requeued)], take: 0 });
      }
    });

    test("that is put back after a crash: the crash stays counted", async (stage) => {
      const consumer = await start(stage);
      await takeOne(consumer);
      for (let round = 0; round < 2; round++) {
        const delivery = await (round === 0 ? again(stage, consumer) : takeOne(consumer));
        matches(delivery, { number: round + 2, crashes: 1 });
        await consumer.settleAndTake({ settle: [settlementOf(delivery, outcomes.requeued)], take: 0 });
      }
    });

    test("of which starts and ends are told several times: each counts once", async (stage) => {
      const consumer = await start(stage);
      const first = await takeOne(consumer);
      const second = await again(stage, consumer);
      for (let said = 0; said < 3; said++) equal(await consumer.begin(second), true);
      matches(await again(stage, consumer), { crashes: 2 });
      for (let said = 0; said < 3; said++) await consumer.end(first);
      matches(await again(stage, consumer), { crashes: 1 });
    });

    test("that a worker gives back because its runner died: they count at once", async (stage) => {
      const consumer = await start(stage);
      for (const crashes of [0, 1, 2]) {
        const delivery = await takeOne(consumer);
        matches(delivery, { number: crashes + 1, crashes });
        if (crashes > 0) await consumer.begin(delivery);
        const settle = [settlementOf(delivery, { type: "crashed", reason: "its process died" })];
        matches(await consumer.settleAndTake({ settle, take: 0 }), { settled: ["settled"] });
      }
    });

    test("whose lease was lost while its worker lived on: that run is no crash", async (stage) => {
      const consumer = await start(stage);
      const slow = await takeOne(consumer);
      const delivery = await again(stage, consumer);
      matches(delivery, { crashes: 1 });
      equal(await consumer.begin(slow), false);
      await consumer.end(slow);
      await consumer.begin(delivery);
      matches(await again(stage, consumer), { crashes: 1 });
    });
  });
}
