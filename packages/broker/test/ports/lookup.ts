import { describe, expect, test } from "vitest";
import { newId } from "../../src/id.js";
import { encodeMessage } from "../../src/protocol/codec.js";
import { contentOf, messageOf, numbered, outcomes, settlementOf } from "./messages.js";
import type { Stage } from "./stage.js";
import { take, takeOne } from "./waiting.js";

export function describeLookup(stage: () => Stage): void {
  describe("where a task is", () => {
    test("follows its life", async () => {
      const message = messageOf();
      const task = { id: message.id, queue: "feeds" };
      expect(await stage().locate(task)).toBe("absent");
      await stage().send({ queue: "feeds", message });
      expect(await stage().locate(task)).toBe("waiting");
      const consumer = stage().consume(["feeds"]);
      const delivery = await takeOne(consumer);
      expect(await stage().locate(task)).toBe("taken");
      await consumer.settleAndTake({ settle: [settlementOf(delivery, outcomes.requeued)], take: 0 });
      expect(await stage().locate(task)).toBe("waiting");
      await consumer.settleAndTake({ settle: [settlementOf(await takeOne(consumer))], take: 0 });
      expect(await stage().locate(task)).toBe("absent");
    });

    test("is said of one that is revoked and waits: it will not run", async () => {
      const message = messageOf();
      const task = { id: message.id, queue: "feeds" };
      await stage().send({ queue: "feeds", message });
      await stage().engine.queues.revoke([message.id], ["feeds"], { reason: "too late", terminate: false });
      expect(await stage().locate(task)).toEqual({ revoked: "too late" });
      const consumer = stage().consume(["feeds"]);
      const delivery = await takeOne(consumer);
      // Of one that runs, its record says it: it may still end otherwise.
      expect(await stage().locate(task)).toBe("taken");
      await consumer.settleAndTake({ settle: [settlementOf(delivery, outcomes.revoked)], take: 0 });
      expect(await stage().locate(task)).toBe("absent");
    });

    test("is answered for many at once, each in queues of its own", async () => {
      const [waiting, delayed, urgent, taken] = [
        messageOf(),
        messageOf({ eta: Date.now() + 60_000 }),
        messageOf({ priority: 5 }),
        messageOf(),
      ];
      await stage().send({ queue: "busy", message: taken });
      await takeOne(stage().consume(["busy"]));
      await stage().send({ queue: "a", message: waiting }, { queue: "b", message: delayed }, { queue: "c", message: urgent });
      const { engine } = stage();
      expect(
        await engine.queues.locate([
          { id: taken.id, queues: ["a", "busy"] },
          { id: waiting.id, queues: ["c", "b", "a"] },
          { id: waiting.id, queues: ["b", "c"] },
          { id: delayed.id, queues: ["b"] },
          { id: newId(), queues: ["a", "b", "c", "busy"] },
          { id: urgent.id, queues: ["c"] },
          { id: waiting.id, queues: [] },
        ]),
      ).toEqual([
        { taken: expect.objectContaining({ queue: "busy" }) as unknown },
        "waiting",
        "absent",
        "waiting",
        "absent",
        "waiting",
        "absent",
      ]);
      expect(await engine.queues.locate([])).toEqual([]);
    });
  });

  describe("a task of which only the id is known", () => {
    const anywhere = ({ id }: { readonly id: string }, queues: readonly string[] = []) => ({ id, queues, elsewhere: true });

    test("is found in every queue that anybody sent to, however it was sent", async () => {
      const [plain, urgent, delayed] = [messageOf(), messageOf({ priority: 4 }), messageOf({ eta: Date.now() + 60_000 })];
      await stage().send({ queue: "plain", message: plain }, { queue: "urgent", message: urgent }, { queue: "delayed", message: delayed });
      const other = stage().broker.connect();
      const tasks = [plain, urgent, delayed];
      expect(await other.queues.locate(tasks.map((task) => anywhere(task, ["feeds"])))).toEqual(["waiting", "waiting", "waiting"]);
      expect(await other.queues.locate(tasks.map(({ id }) => ({ id, queues: ["feeds"] })))).toEqual(["absent", "absent", "absent"]);
      expect(
        await other.queues.locate([anywhere({ id: newId() }), anywhere(plain, ["plain"]), { id: urgent.id, queues: ["plain"] }]),
      ).toEqual(["absent", "waiting", "absent"]);
    });

    test("is found among thousands", async () => {
      const ids = Array.from({ length: 3000 }, newId);
      const message = messageOf();
      await stage().send({ queue: "far", message }, ...numbered("near", 3));
      const found = await stage().engine.queues.locate([...ids.map((id) => anywhere({ id })), anywhere(message)]);
      expect(found.filter((location) => location === "absent")).toHaveLength(3000);
      expect(found.at(-1)).toBe("waiting");
    });

    test("is revoked there too, if that is asked for", async () => {
      const message = messageOf();
      await stage().send({ queue: "far", message });
      const other = stage().broker.connect();
      const why = { reason: "too late", terminate: false };
      expect(await other.queues.revoke([message.id, newId()], ["near"], why)).toEqual([{ location: "absent" }, { location: "absent" }]);
      expect(await other.queues.revoke([newId(), message.id], ["near"], why, true)).toMatchObject([
        { location: "absent" },
        { location: "waiting", queue: "far", task: "tasks.add" },
      ]);
      expect(await other.queues.locate([anywhere(message)])).toEqual([{ revoked: "too late" }]);
    });
  });

  describe("a task that is on loan", () => {
    test("is said to be with whom, since when, at which attempt and delivery, and for how long", async () => {
      const message = messageOf();
      await stage().send({ queue: "feeds", message });
      const before = Date.now();
      const consumer = stage().consume(["feeds"], { worker: "w7", lease: 30_000 });
      const first = await takeOne(consumer);
      const loan = async () => {
        const [found] = await stage().engine.queues.locate([{ id: message.id, queues: [], elsewhere: true }]);
        if (typeof found !== "object" || !("taken" in found)) throw new Error("it is not on loan");
        return found.taken;
      };
      const { since = 0, lease, ...facts } = await loan();
      expect(facts).toEqual({ queue: "feeds", task: "tasks.add", worker: "w7", attempt: 1, delivery: 1 });
      expect(since).toBeGreaterThanOrEqual(before);
      expect(lease).toBeGreaterThan(0);
      expect(lease).toBeLessThanOrEqual(30_000);
      // Put back: another delivery of the same attempt.
      await consumer.settleAndTake({ settle: [settlementOf(first, outcomes.requeued)], take: 0 });
      const second = await takeOne(consumer);
      expect(await loan()).toMatchObject({ attempt: 1, delivery: 2 });
      const text = encodeMessage({ ...contentOf(second), retries: 1 });
      const retried = { type: "retried", failure: { name: "Error", message: "no" }, text, eta: Date.now() } as const;
      await consumer.settleAndTake({ settle: [settlementOf(second, retried)], take: 0 });
      await takeOne(stage().consume(["feeds"], { worker: "w8" }));
      expect(await loan()).toMatchObject({ worker: "w8", attempt: 2, delivery: 3 });
    });
  });

  describe("counts", () => {
    test("say how many messages are where, queue by queue", async () => {
      const delayed = [1, 2, 3].map((minutes) => ({ queue: "a", message: messageOf({ eta: Date.now() + 60_000 * minutes }) }));
      const urgent = [1, 9].map((priority) => ({ queue: "a", message: messageOf({ priority }) }));
      await stage().send(...numbered("a", 6), ...delayed, ...urgent, ...numbered("b", 1));
      const consumer = stage().consume(["a"]);
      const [one, two, three] = await take(consumer, 4);
      await consumer.settleAndTake({
        settle: [settlementOf(one!), settlementOf(two!, outcomes.failed), settlementOf(three!, outcomes.revoked)],
        take: 0,
      });
      expect(await stage().engine.queues.counts(["b", "a", "nobody-knows-it"])).toEqual([
        { queue: "b", waiting: 1, delayed: 0, active: 0, completed: 0, failed: 0 },
        { queue: "a", waiting: 4, delayed: 3, active: 1, completed: 1, failed: 2 },
        { queue: "nobody-knows-it", waiting: 0, delayed: 0, active: 0, completed: 0, failed: 0 },
      ]);
      expect(await stage().engine.queues.counts([])).toEqual([]);
    });
  });

  describe("purging a queue", () => {
    test("removes what waits, due or not, and says how much; what is taken goes on", async () => {
      const messages = [messageOf(), messageOf(), messageOf({ priority: 3 }), messageOf({ eta: Date.now() + 60_000 })];
      await stage().send(...messages.map((message) => ({ queue: "a", message })), ...numbered("b", 1));
      const consumer = stage().consume(["a"]);
      const delivery = await takeOne(consumer);
      expect(await stage().engine.queues.purge("a")).toBe(3);
      expect(await stage().counts("a")).toEqual({ waiting: 0, delayed: 0, active: 1, completed: 0, failed: 0 });
      expect(await stage().counts("b")).toMatchObject({ waiting: 1 });
      expect(await stage().engine.queues.purge("a")).toBe(0);
      expect(await consumer.settleAndTake({ settle: [settlementOf(delivery)], take: 1 })).toEqual({ settled: ["settled"], deliveries: [] });
    });

    test("leaves it as good as new: an id that was removed can be sent again", async () => {
      const message = messageOf({ args: ["before"] });
      await stage().send({ queue: "a", message });
      expect(await stage().engine.queues.purge("a")).toBe(1);
      await stage().send({ queue: "a", message: { ...message, args: ["after"] } });
      expect(await takeOne(stage().consume(["a"]))).toMatchObject({ number: 1, content: { message: { args: ["after"] } } });
    });

    test("that nobody knows removes nothing", async () => {
      expect(await stage().engine.queues.purge("nobody-knows-it")).toBe(0);
    });
  });
}
