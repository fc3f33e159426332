import { FlowProducer, Queue, QueueEvents } from "bullmq";
import { Redis } from "ioredis";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Consumer, Delivery } from "../../src/ports/transport.js";
import { argumentsOf, contentOf, messageOf, numbered, outcomes, settlementOf } from "../ports/messages.js";
import { stageOn, type Stage } from "../ports/stage.js";
import { eventually, hear, take, takeOne } from "../ports/waiting.js";
import { openBroker, type RedisBroker } from "./broker.js";

/** BullMQ's own tools beside us, on the same queues. */
describe("BullMQ's own", () => {
  let broker: RedisBroker;
  let stage: Stage;
  let queue: Queue;
  let closing: { close(): Promise<unknown> }[];
  let connections: Redis[];

  beforeEach(() => {
    broker = openBroker();
    stage = stageOn(broker);
    closing = [];
    connections = [];
    queue = closed(new Queue("feeds", options()));
  });

  afterEach(async () => {
    await Promise.all(closing.map((each) => each.close()));
    for (const connection of connections) connection.disconnect();
    await broker.close();
  });

  function closed<T extends { close(): Promise<unknown> }>(tool: T): T {
    closing.push(tool);
    return tool;
  }

  function options() {
    const connection = new Redis(broker.url, { maxRetriesPerRequest: null, replyMapping: "legacy" });
    connections.push(connection);
    return { connection, prefix: broker.prefix };
  }

  const worker = (name = "worker-a"): Consumer => stage.consume(["feeds"], { worker: name });

  describe("Queue sees our messages", () => {
    test("in its counts, state by state", async () => {
      await stage.send(...numbered("feeds", 5), { queue: "feeds", message: messageOf({ priority: 2 }) });
      await stage.send({ queue: "feeds", message: messageOf({ eta: Date.now() + 60_000 }) });
      const consumer = worker();
      const [one, two] = await take(consumer, 3);
      await consumer.exchange({ settle: [settlementOf(one!), settlementOf(two!, outcomes.failed)], take: 0 });
      expect(await queue.getJobCounts()).toMatchObject({
        waiting: 2,
        prioritized: 1,
        delayed: 1,
        active: 1,
        completed: 1,
        failed: 1,
      });
      const { queue: _, ...counts } = (await stage.transport.counts(["feeds"]))[0]!;
      expect(counts).toEqual({ waiting: 3, delayed: 1, active: 1, completed: 1, failed: 1 });
    });

    test("as jobs, by id and in lists", async () => {
      const message = messageOf({ task: "feeds.import", args: [{ url: "x" }], priority: 0 });
      await stage.send({ queue: "feeds", message }, { queue: "feeds", message: messageOf({ priority: 4, eta: Date.now() + 60_000 }) });
      const job = await queue.getJob(message.id);
      expect(job).toMatchObject({ id: message.id, name: "feeds.import", opts: { attempts: 0 } });
      expect(job?.data).toMatchObject({ bullrush: 1, task: "feeds.import", args: [{ url: "x" }] });
      expect((await queue.getWaiting()).map(({ id }) => id)).toEqual([message.id]);
      expect((await queue.getDelayed()).map(({ priority }) => priority)).toEqual([4]);
      expect(await job?.getState()).toBe("waiting");
    });

    test("with what became of them", async () => {
      await stage.send(...numbered("feeds", 3));
      const consumer = worker("worker-7");
      const [succeeded, failed, revoked] = await take(consumer, 3);
      expect(await (await queue.getJob(succeeded!.id))?.getState()).toBe("active");
      await consumer.exchange({
        settle: [settlementOf(succeeded!), settlementOf(failed!, outcomes.failed), settlementOf(revoked!, outcomes.revoked)],
        take: 0,
      });
      expect(await queue.getCompleted()).toMatchObject([
        { id: succeeded!.id, processedBy: "worker-7", attemptsMade: 1, attemptsStarted: 1 },
      ]);
      const jobs = await queue.getFailed();
      expect(jobs.map(({ id, failedReason, stacktrace }) => [id, failedReason, stacktrace])).toEqual(
        expect.arrayContaining([
          [failed!.id, "TypeError: no number", [outcomes.failed.failure.stack]],
          [revoked!.id, "revoked: expired", []],
        ]),
      );
    });

    test("and keeps of those that are done no more than it is told to", async () => {
      await stage.send(...numbered("feeds", 1010));
      const consumer = worker();
      for (let done = 0; done < 1010;) {
        const deliveries = await take(consumer, 101);
        done += deliveries.length;
        await consumer.exchange({ settle: deliveries.map((delivery) => settlementOf(delivery)), take: 0 });
      }
      expect(await queue.getJobCounts()).toMatchObject({ waiting: 0, active: 0, completed: 1000 });
    });
  });

  describe("QueueEvents hears of our messages", () => {
    test("that they are added, taken, done and failed", async () => {
      const events = closed(new QueueEvents("feeds", options()));
      await events.waitUntilReady();
      const seen: [string, string][] = [];
      for (const event of ["added", "waiting", "active", "completed", "failed"] as const) {
        events.on(event, ({ jobId }: { jobId: string }) => void seen.push([event, jobId]));
      }
      const [one, other] = numbered("feeds", 2);
      await stage.send(one!, other!);
      const consumer = worker();
      const [first, second] = await take(consumer, 2);
      await consumer.exchange({ settle: [settlementOf(first!), settlementOf(second!, outcomes.failed)], take: 0 });
      const lives = [
        ...["added", "waiting", "active", "completed"].map((event) => [event, one!.message.id]),
        ["failed", other!.message.id],
      ];
      await eventually("events", () => lives.every(([event, id]) => seen.some(([name, job]) => name === event && job === id)));
    });
  });

  describe("producers' jobs", () => {
    const settleAs = (consumer: Consumer, delivery: Delivery, result: unknown) =>
      consumer.exchange({ settle: [settlementOf(delivery, { type: "succeeded", result: JSON.stringify(result) })], take: 0 });

    test("come as calls of the task that they are named after", async () => {
      const job = await queue.add("mail.send", { to: "ann", n: [1, null] });
      const delivery = await takeOne(worker());
      expect(delivery).toMatchObject({ id: job.id, number: 1, content: { type: "foreign" } });
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
      const events = closed(new QueueEvents("feeds", options()));
      await events.waitUntilReady();
      const job = await queue.add("mail.send", {});
      const finished = job.waitUntilFinished(events, 10_000);
      const consumer = worker();
      await settleAs(consumer, await takeOne(consumer), result);
      expect(await finished).toEqual(result);
      expect((await queue.getJob(job.id!))?.returnvalue).toEqual(result);
    });

    test("fail for those who wait for them", async () => {
      const events = closed(new QueueEvents("feeds", options()));
      await events.waitUntilReady();
      const job = await queue.add("mail.send", {});
      const finished = job.waitUntilFinished(events, 10_000).catch((error: unknown) => error);
      const consumer = worker();
      await consumer.exchange({ settle: [settlementOf(await takeOne(consumer), outcomes.failed)], take: 0 });
      expect(await finished).toMatchObject({ message: "TypeError: no number" });
    });

    test("come in BullMQ's order, ours among them: last in first out, then in turn, then by priority", async () => {
      await queue.add("a", "prioritised 2", { priority: 2 });
      await queue.add("a", "prioritised 1", { priority: 1 });
      await stage.send({ queue: "feeds", message: messageOf({ args: ["ours 1"], priority: 1 }) });
      await queue.add("a", "plain");
      await stage.send({ queue: "feeds", message: messageOf({ args: ["ours 0"] }) });
      await queue.add("a", "lifo", { lifo: true });
      const deliveries = await take(worker(), 10);
      expect(argumentsOf(deliveries)).toEqual(["lifo", "plain", "ours 0", "prioritised 1", "ours 1", "prioritised 2"]);
      expect(deliveries.map((delivery) => contentOf(delivery).priority)).toEqual([0, 0, 0, 1, 1, 2]);
    });

    test("come when they are due", async () => {
      const consumer = worker();
      expect(await take(consumer, 1)).toEqual([]);
      const heard = hear(consumer, 1);
      const since = Date.now();
      await queue.add("a", "late", { delay: 300 });
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
      await queue.addBulk([1, 2, 3].map((data) => ({ name: "a", data, opts: asked })));
      const consumer = worker();
      const deliveries = await take(consumer, 3);
      const { settled } = await consumer.exchange({ settle: deliveries.map((delivery) => settlementOf(delivery)), take: 0 });
      expect(settled).toEqual(["settled", "settled", "settled"]);
      expect(await queue.getJobCounts("completed", "active", "waiting")).toEqual({ completed: kept, active: 0, waiting: 0 });
    });

    test.each<[string, object, number]>([
      ["all", {}, 2],
      ["none", { removeOnFail: true }, 0],
      ["one", { removeOnFail: 1 }, 1],
    ])("that fail are kept as their producer asked: %s", async (_, asked, kept) => {
      await queue.addBulk([1, 2].map((data) => ({ name: "a", data, opts: asked })));
      const consumer = worker();
      const deliveries = await take(consumer, 2);
      await consumer.exchange({ settle: deliveries.map((delivery) => settlementOf(delivery, outcomes.failed)), take: 0 });
      expect(await queue.getJobCounts("failed", "active")).toEqual({ failed: kept, active: 0 });
    });

    test("let their parents go on", async () => {
      const flow = closed(new FlowProducer(options()));
      const { job } = await flow.add({
        name: "parent",
        queueName: "feeds",
        data: "parent",
        children: [1, 2].map((data) => ({ name: "child", queueName: "feeds", data })),
      });
      const consumer = worker();
      const children = await take(consumer, 5);
      expect(argumentsOf(children).toSorted()).toEqual([1, 2]);
      await settleAs(consumer, children[0]!, "one");
      expect(await take(consumer, 5)).toEqual([]);
      await settleAs(consumer, children[1]!, "two");
      expect(argumentsOf(await hear(consumer, 1))).toEqual(["parent"]);
      expect(Object.values(await job.getChildrenValues()).toSorted()).toEqual(["one", "two"]);
    });

    test("of one deduplication id come once", async () => {
      for (const data of [1, 2, 3]) await queue.add("a", data, { deduplication: { id: "same" } });
      const consumer = worker();
      const [delivery, ...others] = await take(consumer, 5);
      expect(others).toEqual([]);
      await settleAs(consumer, delivery!, null);
      await queue.add("a", 4, { deduplication: { id: "same" } });
      expect(argumentsOf(await hear(consumer, 1))).toEqual([4]);
    });

    test("that are put back come again, to whoever knows them", async () => {
      await queue.add("nobody.knows.it", 1);
      const [ignorant, other] = [worker(), worker("worker-b")];
      const delivery = await takeOne(ignorant);
      ignorant.rest("feeds", 60_000);
      const exchange = await ignorant.exchange({ settle: [settlementOf(delivery, outcomes.requeued)], take: 5 });
      expect(exchange).toEqual({ settled: ["settled"], deliveries: [] });
      expect(await hear(other, 1)).toMatchObject([{ id: delivery.id, number: 2 }]);
    });
  });

  describe("switches are obeyed", () => {
    test("a paused queue gives nothing, and gives again when it is resumed", async () => {
      const consumer = worker();
      await queue.pause();
      await stage.send(...numbered("feeds", 1));
      await queue.add("a", "theirs");
      expect(await take(consumer, 5)).toEqual([]);
      expect(await stage.counts("feeds")).toMatchObject({ waiting: 2 });
      const heard = hear(consumer, 2, 5000);
      await queue.resume();
      expect(argumentsOf(await heard)).toEqual([0, "theirs"]);
    });

    test("what was taken before the pause is finished, and what is put back stays in the queue", async () => {
      await stage.send(...numbered("feeds", 2));
      const consumer = worker();
      const [ending, returning] = await take(consumer, 2);
      await queue.pause();
      const exchange = await consumer.exchange({ settle: [settlementOf(ending!), settlementOf(returning!, outcomes.requeued)], take: 5 });
      expect(exchange).toEqual({ settled: ["settled", "settled"], deliveries: [] });
      await queue.resume();
      expect(await hear(consumer, 1, 5000)).toMatchObject([{ id: returning!.id, number: 2 }]);
    });

    test("a limit of how many run at once, in all workers", async () => {
      await queue.setGlobalConcurrency(2);
      await stage.send(...numbered("feeds", 4));
      const [one, other] = [worker(), worker("worker-b")];
      const deliveries = [...(await hear(one, 1)), ...(await take(one, 5)), ...(await take(other, 5))];
      expect(deliveries).toHaveLength(2);
      for (const delivery of deliveries) {
        // It has free slots, hears that there is more, looks, and finds that there is no room.
        await one.ring();
        expect(await take(one, 5)).toEqual([]);
        await one.exchange({ settle: [settlementOf(delivery)], take: 0 });
        expect(await hear(one, 1, 5000)).toHaveLength(1);
      }
    });

    test("a limit of how many start in a while", async () => {
      await queue.setGlobalRateLimit(2, 600);
      await stage.send(...numbered("feeds", 3));
      const consumer = worker();
      const since = Date.now();
      expect(await take(consumer, 5)).toHaveLength(2);
      expect(await hear(consumer, 1, 5000)).toHaveLength(1);
      expect(Date.now() - since).toBeGreaterThanOrEqual(500);
    });

    test("draining and removing take away what waits", async () => {
      const [one, other] = numbered("feeds", 2);
      await stage.send(one!, other!);
      await queue.remove(one!.message.id);
      expect(await stage.transport.locate([{ id: one!.message.id, queues: ["feeds"] }])).toEqual(["absent"]);
      await queue.drain(true);
      expect(await stage.counts("feeds")).toMatchObject({ waiting: 0, delayed: 0 });
    });
  });
});
