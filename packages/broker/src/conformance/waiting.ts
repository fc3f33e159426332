import { equal, matches, rejects } from "./assertions.js";
import { numbered, outcomes, routed, settlementOf } from "./messages.js";
import { take, takeOne, type Stage } from "./stage.js";
import type { Suite } from "./suite.js";

/** A worker that has looked and found nothing. */
async function idle(stage: Stage, queues: readonly string[] = ["feeds"], worker = "worker-a") {
  const consumer = stage.consume(queues, { worker });
  equal(await take(consumer, 1), []);
  equal(consumer.hasWork(), false);
  return consumer;
}

export function describeWaiting({ describe, test }: Suite): void {
  describe("a worker that waits", () => {
    test("a message that is sent meanwhile: it is heard, and nothing is taken by hearing", async (stage) => {
      const consumer = await idle(stage);
      const heard = stage.during(consumer.wait());
      await stage.send(routed());
      await heard;
      matches(await stage.counts(), { waiting: 1, active: 0 });
      equal((await stage.hear(consumer, 1)).length, 1);
    });

    test("a message that was sent between the look and the wait: it is heard", async (stage) => {
      const consumer = await idle(stage);
      await stage.send(routed());
      equal((await stage.hear(consumer, 1)).length, 1);
    });

    test("a message in any of its queues: it is heard", async (stage) => {
      const consumer = await idle(stage, ["a", "b", "c"]);
      for (const queue of ["c", "a", "b", "b"]) {
        const heard = stage.hear(consumer, 1);
        await stage.send(routed({}, queue));
        matches(await heard, [{ queue }]);
      }
    });

    test("while there is more: it need not wait", async (stage) => {
      await stage.send(...numbered(3));
      const consumer = stage.consume();
      await take(consumer, 1);
      equal(consumer.hasWork(), true);
      await consumer.wait();
    });

    test("a delayed message: it is heard when it is due, though a later one was known before", async (stage) => {
      const consumer = await idle(stage);
      await stage.send(routed({ eta: stage.now() + 60_000 }));
      const heard = stage.hear(consumer, 1);
      await stage.send(routed({ eta: stage.now() + 300, args: ["soon"] }));
      matches(await heard, [{ content: { message: { args: ["soon"] } } }]);
    });

    test("a message that another worker puts back: it is heard", async (stage) => {
      await stage.send(routed());
      const leaving = stage.consume(["feeds"], { worker: "worker-b" });
      const delivery = await takeOne(leaving);
      const heard = stage.hear(await idle(stage), 1);
      await leaving.settleAndTake({ settle: [settlementOf(delivery, outcomes.requeued)], take: 0 });
      matches(await heard, [{ id: delivery.id, number: 2 }]);
    });

    test("three workers and three messages: each gets one", async (stage) => {
      const workers = await Promise.all(["worker-a", "worker-b", "worker-c"].map((worker) => idle(stage, ["feeds"], worker)));
      const heard = Promise.all(workers.map((worker) => stage.hear(worker, 1)));
      await stage.send(...numbered(3));
      const ids = (await heard).map(([delivery]) => delivery?.id);
      equal(new Set(ids).size, 3);
    });

    test("one that stops listening: its wait rejects, and new work goes to others", async (stage) => {
      const [leaving, other] = [await idle(stage), await idle(stage, ["feeds"], "worker-b")];
      const waiting = leaving.wait();
      leaving.stopListening();
      await rejects(waiting, "BROKER_UNAVAILABLE");
      await leaving.releaseWakeups();
      await stage.send(routed());
      equal((await stage.hear(other, 1)).length, 1);
    });
  });

  describe("a queue that is backed off", () => {
    test("beside another: it gives nothing until its pause is over, and then without further news", async (stage) => {
      await stage.send(...numbered(2), ...numbered(1, "mail"));
      const consumer = stage.consume(["feeds", "mail"]);
      const until = stage.now() + 1000;
      consumer.backOff("feeds", 1000);
      matches(await take(consumer, 5), [{ queue: "mail" }]);
      matches(await stage.hear(consumer, 1), [{ queue: "feeds" }]);
      equal(stage.now() >= until, true);
    });

    test("its messages: other workers hear of them", async (stage) => {
      const [consumer, other] = [await idle(stage), await idle(stage, ["feeds"], "worker-b")];
      consumer.backOff("feeds", 60_000);
      await stage.send(routed());
      equal(await take(consumer, 1), []);
      equal((await stage.hear(other, 1)).length, 1);
    });
  });
}
