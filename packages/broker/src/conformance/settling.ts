import { encodeMessage } from "../protocol/codec.js";
import { equal, matches } from "./assertions.js";
import { messageOf, numbered, outcomes, routed, settlementOf, storeOf } from "./messages.js";
import { argumentsOf, contentOf, take, takeAll, takeOne } from "./stage.js";
import type { Suite } from "./suite.js";

export function describeSettling({ describe, test }: Suite): void {
  describe("settling and taking", () => {
    test("a take: it gives as many as asked for, and no more", async (stage) => {
      await stage.send(...numbered(5));
      const consumer = stage.consume();
      equal(argumentsOf(await take(consumer, 3)), [0, 1, 2]);
      equal(await take(consumer, 0), []);
      equal(argumentsOf(await take(consumer, 3)), [3, 4]);
      equal(await take(consumer, 3), []);
    });

    test("both in one call: it settles first", async (stage) => {
      await stage.send(...numbered(3));
      const consumer = stage.consume();
      const [first, second] = await takeAll(consumer, 2);
      const settle = [settlementOf(first, outcomes.requeued), settlementOf(second)];
      const { settled, deliveries } = await consumer.settleAndTake({ settle, take: 2 });
      equal(settled, ["settled", "settled"]);
      equal(argumentsOf(deliveries), [0, 2]);
    });

    for (const [name, finished] of [
      ["succeeded", { completed: 1, failed: 0 }],
      ["failed", { completed: 0, failed: 1 }],
      ["dead", { completed: 0, failed: 1 }],
      ["revoked", { completed: 0, failed: 1 }],
    ] as const) {
      test(`a message that came to "${name}": it is gone from its queue, and counted`, async (stage) => {
        await stage.send(routed());
        const consumer = stage.consume();
        const delivery = await takeOne(consumer);
        matches(await stage.counts(), { waiting: 0, delayed: 0, active: 1, completed: 0, failed: 0 });
        const { settled } = await consumer.settleAndTake({ settle: [settlementOf(delivery, outcomes[name])], take: 5 });
        equal(settled, ["settled"]);
        matches(await stage.counts(), { waiting: 0, delayed: 0, active: 0, ...finished });
        equal(await stage.locate(delivery), "absent");
      });
    }

    test("several settlements: each is settled on its own", async (stage) => {
      await stage.send(...numbered(4));
      const consumer = stage.consume();
      const [a, b, c, d] = await takeAll(consumer, 4);
      const settle = [
        settlementOf(a),
        settlementOf({ ...b, token: "forged" }, outcomes.failed),
        settlementOf(c, outcomes.failed),
        settlementOf(d, outcomes.requeued),
      ];
      equal((await consumer.settleAndTake({ settle, take: 0 })).settled, ["settled", "lost", "settled", "settled"]);
      matches(await stage.counts(), { waiting: 1, delayed: 0, active: 1, completed: 1, failed: 1 });
    });

    test("a settlement with a result: the result is stored", async (stage) => {
      await stage.send(...numbered(2));
      const consumer = stage.consume();
      const deliveries = await takeAll(consumer, 2);
      const settle = deliveries.map((delivery) => ({ ...settlementOf(delivery), store: storeOf(delivery.id, { resultText: "[3]" }) }));
      equal((await consumer.settleAndTake({ settle, take: 0 })).settled, ["settled", "settled"]);
      const record = { state: "SUCCESS", delivery: 1, result: [3] };
      equal(await stage.engine.results.read(deliveries.map(({ id }) => id)), [record, record]);
    });

    test("a settlement ahead of which its result was stored: it is settled once", async (stage) => {
      await stage.send(routed());
      const consumer = stage.consume();
      const delivery = await takeOne(consumer);
      const settlement = { ...settlementOf(delivery), store: storeOf(delivery.id) };
      await consumer.store([settlement]);
      await consumer.store([settlement]);
      equal((await consumer.settleAndTake({ settle: [settlement], take: 0 })).settled, ["settled"]);
      matches(await stage.recordOf(delivery.id), { state: "SUCCESS" });
    });

    test("a message longer than a consumer reads: it is undecodable, PAYLOAD_TOO_LARGE", async (stage) => {
      await stage.send(routed({ args: ["x".repeat(5000)] }));
      const delivery = await takeOne(stage.consume(["feeds"], { longestMessage: 1000 }));
      matches(delivery.content, { type: "undecodable", error: { code: "PAYLOAD_TOO_LARGE" } });
    });

    test("more ended messages than a queue keeps: the oldest go, and their ids can be sent again", async (stage) => {
      const bound = { count: 2, age: 3_600_000, bytes: Number.MAX_SAFE_INTEGER };
      const retention = { completed: bound, failed: bound, deadLetter: { ...bound, count: 1 }, keepArguments: false };
      const consumer = stage.engine.consume({ queues: [{ name: "feeds", retention }], order: "strict", lease: 30_000, worker: "worker-a" });
      const sent = numbered(3);
      for (const outcome of [outcomes.succeeded, outcomes.dead]) {
        await stage.send(...sent.map(({ message }) => routed({ ...message, id: messageOf().id })));
        for (let number = 0; number < 3; number++) {
          await consumer.settleAndTake({ settle: [settlementOf(await takeOne(consumer), outcome)], take: 0 });
        }
      }
      matches(await stage.counts(), { completed: 2, failed: 2, active: 0 });
      equal(consumer.droppedDeadLetters(), new Map([["feeds", 2]]));
      equal(consumer.droppedDeadLetters(), new Map());
    });
  });

  describe("a message that is put back", () => {
    test("at once: it comes first, with the next delivery number", async (stage) => {
      await stage.send(...numbered(3));
      const consumer = stage.consume();
      const first = await takeOne(consumer);
      await consumer.settleAndTake({ settle: [settlementOf(first, outcomes.requeued)], take: 0 });
      equal(await stage.locate(first), "waiting");
      const deliveries = await takeAll(consumer, 3);
      equal(argumentsOf(deliveries), [0, 1, 2]);
      equal(
        deliveries.map(({ number }) => number),
        [2, 1, 1],
      );
      equal(contentOf(deliveries[0]), contentOf(first));
    });

    test("with a priority: it keeps it, and comes first within it", async (stage) => {
      await stage.send(...[5, 5, 1, 5, 7].map((priority, age) => routed({ priority, args: [age] })));
      const consumer = stage.consume();
      const taken = await takeAll(consumer, 2);
      equal(argumentsOf(taken), [2, 0]);
      await consumer.settleAndTake({ settle: taken.map((delivery) => settlementOf(delivery, outcomes.requeued)), take: 0 });
      equal(argumentsOf(await take(consumer, 5)), [2, 0, 1, 3, 4]);
    });

    test("after it was delayed: it is not delayed a second time", async (stage) => {
      await stage.send(routed({ eta: stage.now() + 50 }));
      const consumer = stage.consume();
      const [delivery] = await stage.hear(consumer, 1);
      await consumer.settleAndTake({ settle: delivery ? [settlementOf(delivery, outcomes.requeued)] : [], take: 0 });
      matches(await takeOne(consumer), { id: delivery?.id, number: 2 });
    });

    test("for later: the others go first, and it is the same message then", async (stage) => {
      await stage.send(...numbered(3));
      const consumer = stage.consume();
      const first = await takeOne(consumer);
      const later = { ...outcomes.requeued, eta: stage.now() + 300 };
      await consumer.settleAndTake({ settle: [settlementOf(first, later)], take: 0 });
      equal(argumentsOf(await take(consumer, 3)), [1, 2]);
      const [again] = await stage.hear(consumer, 1);
      equal(stage.now() >= later.eta, true);
      matches(again, { id: first.id, number: 2, crashes: 0 });
      equal(again && contentOf(again), contentOf(first));
    });

    test("because nobody knows its task: it says since when, until it begins to run", async (stage) => {
      await stage.send(routed());
      const consumer = stage.consume();
      const unknown = { ...outcomes.requeued, eta: stage.now(), unknownSince: 12_345 };
      await consumer.settleAndTake({ settle: [settlementOf(await takeOne(consumer), unknown)], take: 0 });
      const [again] = await stage.hear(consumer, 1);
      matches(again, { unknownSince: 12_345 });
      equal(again && (await consumer.begin(again)), true);
      await consumer.settleAndTake({ settle: again ? [settlementOf(again, outcomes.requeued)] : [], take: 0 });
      equal((await takeOne(consumer)).unknownSince, undefined);
    });

    for (const delay of [0, 150]) {
      test(`for its next attempt in ${delay} ms: it comes as that, under its id, and is no crash`, async (stage) => {
        await stage.send(routed());
        const consumer = stage.consume();
        const first = await takeOne(consumer);
        const message = { ...contentOf(first), retries: 1, args: [3, 4] };
        const failure = { name: "Error", message: "no luck" };
        const retried = { type: "retried", failure, text: encodeMessage(message), eta: stage.now() + delay } as const;
        equal((await consumer.settleAndTake({ settle: [settlementOf(first, retried)], take: 0 })).settled, ["settled"]);
        const [second] = await stage.hear(consumer, 1);
        matches(second, { id: first.id, number: 2, endedBefore: 1, crashes: 0 });
        equal(second && contentOf(second), message);
        equal((await consumer.settleAndTake({ settle: [settlementOf(first, retried)], take: 0 })).settled, ["lost"]);
      });
    }
  });
}
