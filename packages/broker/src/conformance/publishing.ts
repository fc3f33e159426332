import { newId } from "../id.js";
import type { Message } from "../protocol/message.js";
import { equal, matches } from "./assertions.js";
import { messageOf, numbered, routed } from "./messages.js";
import { argumentsOf, contentOf, take, takeOne } from "./stage.js";
import type { Suite } from "./suite.js";

export function describePublishing({ describe, test }: Suite): void {
  describe("publishing", () => {
    test("a message: it is confirmed, and delivered as it was sent", async (stage) => {
      const id = newId();
      const message: Message = {
        id,
        task: "feeds.import",
        args: [{ url: "a b?c=d", ключ: ["€", "😀", null, 0.1] }, "\u0000\ud800"],
        headers: { trace: { id: "x" }, n: 1 },
        priority: 3,
        retries: 2,
        rootId: newId(),
        parentId: newId(),
        groupId: newId(),
        expires: stage.now() + 60_000,
        timeLimit: 30_000,
        softTimeLimit: 20_000,
        replyTo: "bullrush:reply:somewhere",
        ignoreResult: true,
        resent: true,
      };
      equal(await stage.engine.queues.publish([{ queue: "feeds", message }]), [undefined]);
      const delivery = await takeOne(stage.consume());
      matches(delivery, { queue: "feeds", id, number: 1, content: { type: "message" } });
      equal(contentOf(delivery), message);
    });

    test("nothing: nothing is confirmed", async (stage) => {
      equal(await stage.engine.queues.publish([]), []);
    });

    test("messages that cannot be sent beside others: each has its own error, and the others are sent", async (stage) => {
      const [first, last] = [routed(), routed()];
      const messages = [routed({ args: [1n] }), first, routed({ args: ["x".repeat(2 ** 20)] }), last];
      const errors = await stage.engine.queues.publish(messages);
      equal(
        errors.map((error) => error?.code),
        ["ENCODE_ERROR", undefined, "PAYLOAD_TOO_LARGE", undefined],
      );
      const deliveries = await take(stage.consume(), 10);
      equal(
        deliveries.map(({ id }) => id),
        [first.message.id, last.message.id],
      );
    });

    test("an id that is there: the message that is there stays", async (stage) => {
      const first = messageOf({ args: ["first"] });
      const again = { ...first, args: ["again"], resent: true };
      await stage.send({ queue: "feeds", message: first }, { queue: "feeds", message: again });
      await stage.send({ queue: "feeds", message: again });
      const consumer = stage.consume();
      const delivery = await takeOne(consumer);
      await stage.send({ queue: "feeds", message: again });
      equal(contentOf(delivery), first);
      equal(await take(consumer, 10), []);
    });

    test("an id that is delayed, with an earlier time: it stays delayed", async (stage) => {
      const first = messageOf({ eta: stage.now() + 60_000 });
      await stage.send({ queue: "feeds", message: first });
      await stage.send({ queue: "feeds", message: { ...first, eta: 0 } });
      matches(await stage.counts(), { waiting: 0, delayed: 1 });
    });

    test("for several queues: each gets its own", async (stage) => {
      await stage.send(...["a", "b", "a"].map((queue) => routed({ args: [queue] }, queue)));
      equal(argumentsOf(await take(stage.consume(["a"]), 10)), ["a", "a"]);
      equal(argumentsOf(await take(stage.consume(["b"]), 10)), ["b"]);
    });

    test("what the other engine takes: it is the same space", async (stage) => {
      await stage.send(...numbered(1));
      const consumer = stage.other.consume({ queues: [{ name: "feeds" }], order: "strict", lease: 30_000, worker: "worker-b" });
      equal(argumentsOf(await take(consumer, 10)), [0]);
    });
  });

  describe("the order of one queue", () => {
    test("messages without a priority: in the order in which they were sent", async (stage) => {
      await stage.send(...numbered(50));
      await stage.send(...numbered(50));
      const numbers = Array.from({ length: 50 }, (_, number) => number);
      equal(argumentsOf(await take(stage.consume(), 200)), [...numbers, ...numbers]);
    });

    test("messages with priorities: 0 first and 9 last, and by age within one", async (stage) => {
      const priorities = [9, 0, 5, 1, 0, 9, 5, 1, 2, 8];
      await stage.send(...priorities.map((priority, age) => routed({ priority, args: [[priority, age]] })));
      const expected = priorities.map((priority, age) => [priority, age] as const).toSorted(([p, a], [q, b]) => p - q || a - b);
      equal(argumentsOf(await take(stage.consume(), 20)), expected);
    });

    test("a message with an eta: it comes when it is due, and not before", async (stage) => {
      const consumer = stage.consume();
      const eta = stage.now() + 1000;
      await stage.send(routed({ eta, priority: 4, args: ["late"] }), routed());
      equal(argumentsOf(await take(consumer, 10)), [1]);
      const [late] = await stage.hear(consumer, 1);
      equal(stage.now() >= eta, true);
      matches(late?.content, { message: { eta, priority: 4, args: ["late"] } });
    });

    for (const ahead of [0, -1, -60_000, -0.5]) {
      test(`a message with an eta ${ahead} ms from now: it comes at once`, async (stage) => {
        await stage.send(routed({ eta: stage.now() + ahead }));
        equal((await take(stage.consume(), 10)).length, 1);
      });
    }

    test("a message with an eta at the end of time: it stays delayed", async (stage) => {
      await stage.send(routed({ eta: 8.64e15 }), routed({ args: ["now"] }));
      equal(argumentsOf(await take(stage.consume(), 10)), ["now"]);
      matches(await stage.counts(), { waiting: 0, delayed: 1 });
    });
  });
}
