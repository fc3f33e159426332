import { FlowProducer, QueueEvents } from "bullmq";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Consumer } from "../../src/ports/consumer.js";
import type { Delivery } from "../../src/ports/delivery.js";
import { argumentsOf, contentOf, messageOf, outcomes, settlementOf } from "../ports/messages.js";
import { hear, take, takeOne } from "../ports/waiting.js";
import { openBench, type Bench } from "./bench.js";

describe("BullMQ's own producers", () => {
  let bench: Bench;

  beforeEach(() => {
    bench = openBench();
  });

  afterEach(() => bench.close());

  describe("send jobs, which", () => {
    const settleAs = (consumer: Consumer, delivery: Delivery, result: unknown) =>
      consumer.settleAndTake({ settle: [settlementOf(delivery, { type: "succeeded", result: JSON.stringify(result) })], take: 0 });

    test("come as calls of the task that they are named after", async () => {
      const job = await bench.queue.add("mail.send", { to: "ann", n: [1, null] });
      const delivery = await takeOne(bench.worker());
      expect(delivery).toMatchObject({ id: job.id, number: 1, content: { type: "external" } });
      expect(contentOf(delivery)).toEqual({
        id: job.id,
        task: "mail.send",
        args: [{ to: "ann", n: [1, null] }],
        headers: {},
        priority: 0,
        retries: 0,
        rootId: job.id,
      });
    });

    test.each<[string, unknown]>([
      ["an object", { sum: 3, of: [1, 2] }],
      ["a text", "€😀"],
      ["null", null],
      ["a number", 0],
    ])("return to those who wait for them: %s", async (_, result) => {
      const events = bench.closed(new QueueEvents("feeds", bench.options()));
      await events.waitUntilReady();
      const job = await bench.queue.add("mail.send", {});
      const finished = job.waitUntilFinished(events, 10_000);
      const consumer = bench.worker();
      await settleAs(consumer, await takeOne(consumer), result);
      expect(await finished).toEqual(result);
      expect((await bench.queue.getJob(job.id!))?.returnvalue).toEqual(result);
    });

    test("fail for those who wait for them", async () => {
      const events = bench.closed(new QueueEvents("feeds", bench.options()));
      await events.waitUntilReady();
      const job = await bench.queue.add("mail.send", {});
      const finished = job.waitUntilFinished(events, 10_000).catch((error: unknown) => error);
      const consumer = bench.worker();
      await consumer.settleAndTake({ settle: [settlementOf(await takeOne(consumer), outcomes.failed)], take: 0 });
      expect(await finished).toMatchObject({ message: "no number" });
    });

    test("come in BullMQ's order, ours among them: last in first out, then in turn, then by priority", async () => {
      await bench.queue.add("a", "prioritised 2", { priority: 2 });
      await bench.queue.add("a", "prioritised 1", { priority: 1 });
      await bench.stage.send({ queue: "feeds", message: messageOf({ args: ["ours 1"], priority: 1 }) });
      await bench.queue.add("a", "plain");
      await bench.stage.send({ queue: "feeds", message: messageOf({ args: ["ours 0"] }) });
      await bench.queue.add("a", "lifo", { lifo: true });
      const deliveries = await take(bench.worker(), 10);
      expect(argumentsOf(deliveries)).toEqual(["lifo", "plain", "ours 0", "prioritised 1", "ours 1", "prioritised 2"]);
      expect(deliveries.map((delivery) => contentOf(delivery).priority)).toEqual([0, 0, 0, 1, 1, 2]);
    });

    test("come when they are due", async () => {
      const consumer = bench.worker();
      expect(await take(consumer, 1)).toEqual([]);
      const heard = hear(consumer, 1);
      const since = Date.now();
      await bench.queue.add("a", "late", { delay: 300 });
      expect(argumentsOf(await heard)).toEqual(["late"]);
      expect(Date.now() - since).toBeGreaterThanOrEqual(300);
    });

    test.each<[string, object, number]>([
      ["all", {}, 3],
      ["none", { removeOnComplete: true }, 0],
      ["one", { removeOnComplete: 1 }, 1],
      ["two", { removeOnComplete: { count: 2 } }, 2],
      ["all, as asked", { removeOnComplete: false }, 3],
    ])("are kept as their producer asked: %s", async (_, asked, kept) => {
      await bench.queue.addBulk([1, 2, 3].map((data) => ({ name: "a", data, opts: asked })));
      const consumer = bench.worker();
      const deliveries = await take(consumer, 3);
      const { settled } = await consumer.settleAndTake({ settle: deliveries.map((delivery) => settlementOf(delivery)), take: 0 });
      expect(settled).toEqual(["settled", "settled", "settled"]);
      expect(await bench.queue.getJobCounts("completed", "active", "waiting")).toEqual({ completed: kept, active: 0, waiting: 0 });
    });

    test.each<[string, object, number]>([
      ["all", {}, 2],
      ["none", { removeOnFail: true }, 0],
      ["one", { removeOnFail: 1 }, 1],
    ])("that fail are kept as their producer asked: %s", async (_, asked, kept) => {
      await bench.queue.addBulk([1, 2].map((data) => ({ name: "a", data, opts: asked })));
      const consumer = bench.worker();
      const deliveries = await take(consumer, 2);
      await consumer.settleAndTake({ settle: deliveries.map((delivery) => settlementOf(delivery, outcomes.failed)), take: 0 });
      expect(await bench.queue.getJobCounts("failed", "active")).toEqual({ failed: kept, active: 0 });
    });

    test("let their parents go on", async () => {
      const flow = bench.closed(new FlowProducer(bench.options()));
      const { job } = await flow.add({
        name: "parent",
        queueName: "feeds",
        data: "parent",
        children: [1, 2].map((data) => ({ name: "child", queueName: "feeds", data })),
      });
      const consumer = bench.worker();
      const children = await take(consumer, 5);
      expect(new Set(argumentsOf(children))).toEqual(new Set([1, 2]));
      await settleAs(consumer, children[0]!, "one");
      expect(await take(consumer, 5)).toEqual([]);
      await settleAs(consumer, children[1]!, "two");
      expect(argumentsOf(await hear(consumer, 1))).toEqual(["parent"]);
      expect(new Set(Object.values(await job.getChildrenValues()))).toEqual(new Set(["one", "two"]));
    });

    test("fail with a child that takes them along, and do not run", async () => {
      const flow = bench.closed(new FlowProducer(bench.options()));
      const child = { name: "child", queueName: "feeds", data: "child", opts: { failParentOnFailure: true } };
      const { job } = await flow.add({ name: "parent", queueName: "feeds", data: "parent", children: [child], opts: { attempts: 3 } });
      const consumer = bench.worker();
      const delivery = await takeOne(consumer);
      const exchange = await consumer.settleAndTake({ settle: [settlementOf(delivery, outcomes.failed)], take: 5 });
      expect(exchange).toEqual({ settled: ["settled"], deliveries: [] });
      const parent = await bench.queue.getJob(job.id!);
      expect(await parent?.getState()).toBe("failed");
      expect(parent?.failedReason).toMatch(/^child .* failed$/);
      expect(await bench.queue.getJobCounts("active", "waiting", "failed")).toEqual({ active: 0, waiting: 0, failed: 2 });
    });

    test("of one deduplication id come once", async () => {
      for (const data of [1, 2, 3]) await bench.queue.add("a", data, { deduplication: { id: "same" } });
      const consumer = bench.worker();
      const [delivery, ...others] = await take(consumer, 5);
      expect(others).toEqual([]);
      await settleAs(consumer, delivery!, null);
      await bench.queue.add("a", 4, { deduplication: { id: "same" } });
      expect(argumentsOf(await hear(consumer, 1))).toEqual([4]);
    });

    test("that are put back come again, to whoever knows them", async () => {
      await bench.queue.add("nobody.knows.it", 1);
      const [ignorant, other] = [bench.worker(), bench.worker("worker-b")];
      const delivery = await takeOne(ignorant);
      ignorant.backOff("feeds", 60_000);
      const exchange = await ignorant.settleAndTake({ settle: [settlementOf(delivery, outcomes.requeued)], take: 5 });
      expect(exchange).toEqual({ settled: ["settled"], deliveries: [] });
      expect(await hear(other, 1)).toMatchObject([{ id: delivery.id, number: 2 }]);
    });
  });
});
