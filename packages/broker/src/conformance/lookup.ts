import { newId } from "../id.js";
import { encodeMessage } from "../protocol/codec.js";
import { equal, isTrue, matches } from "./assertions.js";
import { messageOf, numbered, outcomes, routed, settlementOf } from "./messages.js";
import { contentOf, take, takeAll, takeOne } from "./stage.js";
import type { Suite } from "./suite.js";

export function describeLookup({ describe, test }: Suite): void {
  describe("where a task is", () => {
    test("through its life: absent, waiting, taken, waiting, absent", async (stage) => {
      const message = messageOf();
      const task = { id: message.id, queue: "feeds" };
      equal(await stage.locate(task), "absent");
      await stage.send({ queue: "feeds", message });
      equal(await stage.locate(task), "waiting");
      const consumer = stage.consume();
      const delivery = await takeOne(consumer);
      equal(await stage.locate(task), "taken");
      await consumer.settleAndTake({ settle: [settlementOf(delivery, outcomes.requeued)], take: 0 });
      equal(await stage.locate(task), "waiting");
      await consumer.settleAndTake({ settle: [settlementOf(await takeOne(consumer))], take: 0 });
      equal(await stage.locate(task), "absent");
    });

    test("one that is revoked and waits: it is said so, until it is taken", async (stage) => {
      const message = messageOf();
      const task = { id: message.id, queue: "feeds" };
      await stage.send({ queue: "feeds", message });
      await stage.engine.queues.revoke([message.id], ["feeds"], { reason: "too late", terminate: false });
      equal(await stage.locate(task), { revoked: "too late" });
      await takeOne(stage.consume());
      equal(await stage.locate(task), "taken");
    });

    test("many, each in queues of its own: each is looked for in those alone", async (stage) => {
      const [waiting, delayed, urgent] = [messageOf(), messageOf({ eta: stage.now() + 60_000 }), messageOf({ priority: 5 })];
      await stage.send({ queue: "a", message: waiting }, { queue: "b", message: delayed }, { queue: "c", message: urgent });
      const tasks = [
        { id: waiting.id, queues: ["c", "b", "a"] },
        { id: waiting.id, queues: ["b", "c"] },
        { id: delayed.id, queues: ["b"] },
        { id: newId(), queues: ["a", "b", "c"] },
        { id: urgent.id, queues: ["c"] },
        { id: waiting.id, queues: [] },
      ];
      equal(await stage.engine.queues.locate(tasks), ["waiting", "absent", "waiting", "absent", "waiting", "absent"]);
      equal(await stage.engine.queues.locate([]), []);
    });

    test("one of which only the id is known: it is found in every queue that anybody sent to", async (stage) => {
      const [plain, urgent, delayed] = [messageOf(), messageOf({ priority: 4 }), messageOf({ eta: stage.now() + 60_000 })];
      await stage.send({ queue: "plain", message: plain }, { queue: "urgent", message: urgent }, { queue: "delayed", message: delayed });
      const tasks = [plain, urgent, delayed, messageOf()].map(({ id }) => ({ id, queues: ["feeds"], elsewhere: true }));
      equal(await stage.other.queues.locate(tasks), ["waiting", "waiting", "waiting", "absent"]);
    });

    test("one that is on loan: with whom, since when, at which attempt and delivery, and for how long", async (stage) => {
      const message = messageOf();
      await stage.send({ queue: "feeds", message });
      const before = stage.now();
      const consumer = stage.consume(["feeds"], { worker: "w7" });
      const first = await takeOne(consumer);
      const loan = async () => {
        const [found] = await stage.engine.queues.locate([{ id: message.id, queues: [], elsewhere: true }]);
        if (typeof found !== "object" || !("taken" in found)) throw new Error("it is not on loan");
        return found.taken;
      };
      const { since = 0, lease, ...facts } = await loan();
      equal(facts, { queue: "feeds", task: "tasks.add", worker: "w7", attempt: 1, delivery: 1 });
      isTrue(since >= before && lease > 0 && lease <= 30_000, "its times are those of the loan");
      const text = encodeMessage({ ...contentOf(first), retries: 1 });
      const retried = { type: "retried", failure: { name: "Error", message: "no" }, text, eta: stage.now() } as const;
      await consumer.settleAndTake({ settle: [settlementOf(first, retried)], take: 0 });
      await stage.hear(stage.consume(["feeds"], { worker: "w8" }), 1);
      matches(await loan(), { worker: "w8", attempt: 2, delivery: 2 });
    });
  });

  describe("counts", () => {
    test("of several queues: how many messages are where", async (stage) => {
      const delayed = [1, 2, 3].map((minutes) => routed({ eta: stage.now() + 60_000 * minutes }, "a"));
      await stage.send(...numbered(6, "a"), ...delayed, routed({ priority: 1 }, "a"), routed({ priority: 9 }, "a"), ...numbered(1, "b"));
      const consumer = stage.consume(["a"]);
      const [one, two, three] = await takeAll(consumer, 4);
      const settle = [settlementOf(one), settlementOf(two, outcomes.failed), settlementOf(three, outcomes.revoked)];
      await consumer.settleAndTake({ settle, take: 0 });
      equal(await stage.engine.queues.counts(["b", "a", "nobody-knows-it"]), [
        { queue: "b", waiting: 1, delayed: 0, active: 0, completed: 0, failed: 0 },
        { queue: "a", waiting: 4, delayed: 3, active: 1, completed: 1, failed: 2 },
        { queue: "nobody-knows-it", waiting: 0, delayed: 0, active: 0, completed: 0, failed: 0 },
      ]);
    });
  });

  describe("purging a queue", () => {
    test("with messages of all kinds: what waits is removed, due or not, and what is taken goes on", async (stage) => {
      await stage.send(routed(), routed(), routed({ priority: 3 }), routed({ eta: stage.now() + 60_000 }), ...numbered(1, "b"));
      const consumer = stage.consume();
      const delivery = await takeOne(consumer);
      equal(await stage.engine.queues.purge("feeds"), 3);
      matches(await stage.counts(), { waiting: 0, delayed: 0, active: 1 });
      matches(await stage.counts("b"), { waiting: 1 });
      matches(await consumer.settleAndTake({ settle: [settlementOf(delivery)], take: 1 }), { settled: ["settled"], deliveries: [] });
    });

    test("an id that was removed: it can be sent again", async (stage) => {
      const message = messageOf({ args: ["before"] });
      await stage.send({ queue: "feeds", message });
      equal(await stage.engine.queues.purge("feeds"), 1);
      await stage.send({ queue: "feeds", message: { ...message, args: ["after"] } });
      matches(await takeOne(stage.consume()), { number: 1, content: { message: { args: ["after"] } } });
    });

    test("that nobody knows: nothing is removed", async (stage) => {
      equal(await stage.engine.queues.purge("nobody-knows-it"), 0);
    });
  });

  describe("forgetting", () => {
    test("tasks in all states: what has ended is gone, and the others say where they are", async (stage) => {
      const messages = [messageOf(), messageOf(), messageOf(), messageOf()];
      const [ended, running, waiting, revoked] = messages.map(({ id }) => id) as [string, string, string, string];
      await stage.send(...messages.map((message) => ({ queue: "feeds", message })));
      const consumer = stage.consume();
      const [first] = await takeAll(consumer, 2);
      await consumer.settleAndTake({ settle: [settlementOf(first, outcomes.dead)], take: 0 });
      await stage.engine.queues.revoke([revoked], ["feeds"], { reason: "too late", terminate: false });
      const ids = [ended, running, waiting, revoked, newId()];
      equal(await stage.engine.queues.forget(ids, ["feeds"]), ["gone", "running", "waiting", "gone", "gone"]);
      matches(await stage.counts(), { waiting: 1, active: 1, failed: 0 });
      equal((await take(consumer, 5)).length, 1);
    });
  });
}
