import type { Consumer } from "../ports/consumer.js";
import { equal, isTrue, matches } from "./assertions.js";
import { numbered, outcomes, routed, settlementOf } from "./messages.js";
import { argumentsOf, take, takeOne, type Stage } from "./stage.js";
import type { Suite } from "./suite.js";

/** The queues from which `total` messages come, in their order, when `each` are taken at once. */
async function queuesOf(consumer: Consumer, total: number, each = total): Promise<string> {
  let queues = "";
  while (queues.length < total) {
    const deliveries = await take(consumer, each);
    if (deliveries.length === 0) break;
    queues += deliveries.map(({ queue }) => queue).join("");
  }
  return queues;
}

const fill = (stage: Stage, counts: Readonly<Record<string, number>>) =>
  stage.send(...Object.entries(counts).flatMap(([queue, count]) => numbered(count, queue)));

export function describeOrder({ describe, test }: Suite): void {
  describe("several queues in turn", () => {
    for (const each of [1, 5, 12]) {
      test(`${each} messages at a time: each queue gives one in its turn`, async (stage) => {
        await fill(stage, { a: 4, b: 4, c: 4 });
        equal(await queuesOf(stage.consume(["a", "b", "c"]), 12, each), "abcabcabcabc");
      });
    }

    test("weights: the turns are spread evenly", async (stage) => {
      await fill(stage, { a: 12, b: 4 });
      equal(await queuesOf(stage.consume([{ name: "a", weight: 3 }, { name: "b" }]), 16, 3), "aaba".repeat(4));
    });

    test("queues that are empty: the others take their turns", async (stage) => {
      await fill(stage, { a: 1, c: 4 });
      equal(await queuesOf(stage.consume(["a", "b", "c"]), 10), "acccc");
    });

    test("a queue that was empty: it has its share again once it is filled", async (stage) => {
      await fill(stage, { a: 6 });
      const consumer = stage.consume(["a", "b"]);
      equal(await queuesOf(consumer, 3), "aaa");
      await fill(stage, { b: 3 });
      equal((await queuesOf(consumer, 6, 1)).split("").toSorted().join(""), "aaabbb");
      equal(await queuesOf(consumer, 1), "");
    });

    test("queues that are filled unevenly: each gives its share of what is taken", async (stage) => {
      await fill(stage, { a: 60, b: 30, c: 3 });
      const taken = await queuesOf(stage.consume(["a", "b", "c"]), 60, 7);
      const share = (queue: string) => taken.split(queue).length - 1;
      equal(share("c"), 3);
      isTrue(Math.abs(share("a") - share("b")) <= 4, "a and b give about as many");
    });

    test("a queue that is filled while the others always have more: it is not starved", async (stage) => {
      await fill(stage, { a: 3, b: 3 });
      const consumer = stage.consume(["a", "b", "c"]);
      equal((await queuesOf(consumer, 6)).length, 6);
      await fill(stage, { a: 50, b: 50, c: 1 });
      isTrue((await queuesOf(consumer, 6, 1)).includes("c"), "c gives its message");
    });
  });

  describe("several queues in strict order", () => {
    for (const each of [1, 4, 20]) {
      test(`${each} messages at a time: a queue gives only while those before it are empty`, async (stage) => {
        await fill(stage, { a: 3, b: 3, c: 3 });
        equal(await queuesOf(stage.consume(["b", "a", "c"], { order: "strict" }), 20, each), "bbbaaaccc");
      });
    }

    test("what comes into an earlier queue: it overtakes", async (stage) => {
      await fill(stage, { b: 4 });
      const consumer = stage.consume(["a", "b"], { order: "strict" });
      const first = await takeOne(consumer);
      await fill(stage, { a: 2 });
      const { deliveries } = await consumer.settleAndTake({ settle: [settlementOf(first)], take: 3 });
      equal(deliveries.map(({ queue }) => queue).join(""), "aab");
    });
  });

  describe("messages that are moved to the front", () => {
    test("several: they are taken next, the first of them first, and once", async (stage) => {
      const sent = numbered(5);
      await stage.send(...sent);
      const consumer = stage.consume();
      const asked = [sent[3], sent[4]].map((one) => ({ id: one?.message.id ?? "", queues: ["feeds"] }));
      equal(await consumer.promote(asked), [true, true]);
      equal(argumentsOf(await take(consumer, 10)), [3, 4, 0, 1, 2]);
    });

    test("one of a low priority: it overtakes the others, and has its priority when it is put back", async (stage) => {
      const low = routed({ priority: 9, args: ["low"] });
      await stage.send(...numbered(2), low);
      const consumer = stage.consume();
      equal(await consumer.promote([{ id: low.message.id, queues: ["feeds"] }]), [true]);
      const first = await takeOne(consumer);
      equal(argumentsOf([first]), ["low"]);
      await consumer.settleAndTake({ settle: [settlementOf(first, outcomes.requeued)], take: 0 });
      equal(argumentsOf(await take(consumer, 10)), [0, 1, "low"]);
    });

    test("one that becomes due: it is moved then", async (stage) => {
      const soon = routed({ eta: stage.now() + 300, args: ["soon"] });
      await stage.send(...numbered(1), soon);
      const consumer = stage.consume();
      const asked = [{ id: soon.message.id, queues: ["elsewhere", "feeds"] }];
      await stage.eventually("move", async () => (await consumer.promote(asked))[0] === true);
      equal(argumentsOf(await take(consumer, 10)), ["soon", 0]);
    });

    test("one that is in front already: it stays there, once", async (stage) => {
      const sent = numbered(3);
      await stage.send(...sent);
      const consumer = stage.consume();
      for (const one of [sent[0], sent[2], sent[2]]) {
        equal(await consumer.promote([{ id: one?.message.id ?? "", queues: ["feeds"] }]), [true]);
      }
      matches(await stage.counts(), { waiting: 3 });
      equal(argumentsOf(await take(consumer, 10)), [2, 0, 1]);
    });

    test("one that is not due, on loan, unknown, or in a queue of others: it stays where it is", async (stage) => {
      const late = routed({ eta: stage.now() + 60_000 });
      const [own, elsewhere] = [routed(), routed({}, "mail")];
      await stage.send(late, own, elsewhere);
      const consumer = stage.consume();
      const taken = await takeOne(consumer);
      const ids = [late.message.id, taken.id, routed().message.id, elsewhere.message.id];
      equal(await consumer.promote(ids.map((id) => ({ id, queues: ["feeds", "mail"] }))), [false, false, false, false]);
      equal(await take(consumer, 1), []);
    });
  });
}
