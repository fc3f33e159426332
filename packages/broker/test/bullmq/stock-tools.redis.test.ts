import { QueueEvents } from "bullmq";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { eventually } from "../../../../integration/lib/eventually.js";
import { argumentsOf, messageOf, numbered, outcomes, settlementOf } from "../ports/messages.js";
import { hear, take, takeOne } from "../ports/waiting.js";
import { openBench, type Bench } from "./bench.js";

describe("BullMQ's own tools", () => {
  let bench: Bench;

  beforeEach(() => {
    bench = openBench();
  });

  afterEach(() => bench.close());

  describe("Queue sees our messages", () => {
    test("in its counts, state by state", async () => {
      await bench.stage.send(...numbered("feeds", 5), { queue: "feeds", message: messageOf({ priority: 2 }) });
      await bench.stage.send({ queue: "feeds", message: messageOf({ eta: Date.now() + 60_000 }) });
      const consumer = bench.worker();
      const [one, two] = await take(consumer, 3);
      await consumer.settleAndTake({ settle: [settlementOf(one!), settlementOf(two!, outcomes.failed)], take: 0 });
      expect(await bench.queue.getJobCounts()).toMatchObject({
        waiting: 2,
        prioritized: 1,
        delayed: 1,
        active: 1,
        completed: 1,
        failed: 1,
      });
      const { queue: _, ...counts } = (await bench.stage.engine.queues.counts(["feeds"]))[0]!;
      expect(counts).toEqual({ waiting: 3, delayed: 1, active: 1, completed: 1, failed: 1 });
    });

    test("as jobs, by id and in lists", async () => {
      const message = messageOf({ task: "feeds.import", args: [{ url: "x" }], priority: 0 });
      await bench.stage.send(
        { queue: "feeds", message },
        { queue: "feeds", message: messageOf({ priority: 4, eta: Date.now() + 60_000 }) },
      );
      const job = await bench.queue.getJob(message.id);
      expect(job).toMatchObject({ id: message.id, name: "feeds.import", opts: { attempts: 0 } });
      expect(job?.data).toMatchObject({ bullrush: 2, args: [{ url: "x" }] });
      expect((await bench.queue.getWaiting()).map(({ id }) => id)).toEqual([message.id]);
      expect((await bench.queue.getDelayed()).map(({ priority }) => priority)).toEqual([4]);
      expect(await job?.getState()).toBe("waiting");
    });

    test("with what became of them", async () => {
      await bench.stage.send(...numbered("feeds", 3));
      const consumer = bench.worker("worker-7");
      const [succeeded, failed, revoked] = await take(consumer, 3);
      expect(await (await bench.queue.getJob(succeeded!.id))?.getState()).toBe("active");
      await consumer.settleAndTake({
        settle: [settlementOf(succeeded!), settlementOf(failed!, outcomes.failed), settlementOf(revoked!, outcomes.revoked)],
        take: 0,
      });
      expect(await bench.queue.getCompleted()).toMatchObject([
        { id: succeeded!.id, processedBy: "worker-7", attemptsMade: 1, attemptsStarted: 1 },
      ]);
      const jobs = await bench.queue.getFailed();
      expect(jobs.map(({ id, failedReason, stacktrace }) => [id, failedReason, stacktrace])).toEqual(
        expect.arrayContaining([
          [failed!.id, "TypeError: no number", [outcomes.failed.failure.stack]],
          [revoked!.id, "revoked: expired", []],
        ]),
      );
    });

    test("and keeps of those that are done no more than it is told to", async () => {
      await bench.stage.send(...numbered("feeds", 1010));
      const consumer = bench.worker();
      for (let done = 0; done < 1010;) {
        const deliveries = await take(consumer, 101);
        done += deliveries.length;
        await consumer.settleAndTake({ settle: deliveries.map((delivery) => settlementOf(delivery)), take: 0 });
      }
      expect(await bench.queue.getJobCounts()).toMatchObject({ waiting: 0, active: 0, completed: 1000 });
    });
  });

  describe("QueueEvents hears of our messages", () => {
    test("that they are added, taken, done and failed", async () => {
      const events = bench.closed(new QueueEvents("feeds", bench.options()));
      await events.waitUntilReady();
      const seen: [string, string][] = [];
      for (const event of ["added", "waiting", "active", "completed", "failed"] as const) {
        events.on(event, ({ jobId }: { jobId: string }) => void seen.push([event, jobId]));
      }
      const [one, other] = numbered("feeds", 2);
      await bench.stage.send(one!, other!);
      const consumer = bench.worker();
      const [first, second] = await take(consumer, 2);
      await consumer.settleAndTake({ settle: [settlementOf(first!), settlementOf(second!, outcomes.failed)], take: 0 });
      const lives = [
        ...["added", "waiting", "active", "completed"].map((event) => [event, one!.message.id]),
        ["failed", other!.message.id],
      ];
      await eventually("events", () => lives.every(([event, id]) => seen.some(([name, job]) => name === event && job === id)));
    });
  });

  describe("switches are obeyed", () => {
    test("a paused queue gives nothing, and gives again when it is resumed", async () => {
      const consumer = bench.worker();
      await bench.queue.pause();
      await bench.stage.send(...numbered("feeds", 1));
      await bench.queue.add("a", "theirs");
      expect(await take(consumer, 5)).toEqual([]);
      expect(await bench.stage.counts("feeds")).toMatchObject({ waiting: 2 });
      const heard = hear(consumer, 2);
      await bench.queue.resume();
      expect(argumentsOf(await heard)).toEqual([0, "theirs"]);
    });

    test("what was taken before the pause is finished, and what is put back stays in the queue", async () => {
      await bench.stage.send(...numbered("feeds", 2));
      const consumer = bench.worker();
      const [ending, returning] = await take(consumer, 2);
      await bench.queue.pause();
      const exchange = await consumer.settleAndTake({
        settle: [settlementOf(ending!), settlementOf(returning!, outcomes.requeued)],
        take: 5,
      });
      expect(exchange).toEqual({ settled: ["settled", "settled"], deliveries: [] });
      await bench.queue.resume();
      expect(await hear(consumer, 1)).toMatchObject([{ id: returning!.id, number: 2 }]);
    });

    test("a limit of how many run at once, in all workers", async () => {
      await bench.queue.setGlobalConcurrency(2);
      await bench.stage.send(...numbered("feeds", 4));
      const [one, other] = [bench.worker(), bench.worker("worker-b")];
      const deliveries = [...(await hear(one, 1)), ...(await take(one, 5)), ...(await take(other, 5))];
      expect(deliveries).toHaveLength(2);
      for (const delivery of deliveries) {
        // It has free slots, hears that there is more, looks, and finds that there is no room.
        await one.wait();
        expect(await take(one, 5)).toEqual([]);
        await one.settleAndTake({ settle: [settlementOf(delivery)], take: 0 });
        expect(await hear(one, 1)).toHaveLength(1);
      }
    });

    test("a limit that is reached does not hide what came meanwhile, unheard, from the one who makes room", async () => {
      await bench.queue.setGlobalConcurrency(1);
      await bench.stage.send(...numbered("feeds", 1));
      const consumer = bench.worker();
      const delivery = await takeOne(consumer);
      expect(await take(consumer, 5)).toEqual([]);
      await bench.queue.add("a", "late");
      const { deliveries } = await consumer.settleAndTake({ settle: [settlementOf(delivery)], take: 5 });
      expect(argumentsOf(deliveries)).toEqual(["late"]);
    });

    test("a limit that is reached does not hide when the next message is due", async () => {
      await bench.queue.setGlobalConcurrency(1);
      const [one, other] = [bench.worker(), bench.worker("worker-b")];
      await bench.stage.send(...numbered("feeds", 1), { queue: "feeds", message: messageOf({ eta: Date.now() + 600 }) });
      const delivery = await takeOne(one);
      expect(await take(other, 1)).toEqual([]);
      expect(other.hasWork()).toBe(false);
      await one.settleAndTake({ settle: [settlementOf(delivery)], take: 0 });
      // It has not rung, so it knows from its look alone.
      await eventually("time to look", () => other.hasWork());
      expect(await take(other, 1)).toHaveLength(1);
    });

    test("a limit of how many start in a while", async () => {
      await bench.queue.setGlobalRateLimit(2, 600);
      await bench.stage.send(...numbered("feeds", 3));
      const consumer = bench.worker();
      const since = Date.now();
      expect(await take(consumer, 5)).toHaveLength(2);
      expect(await hear(consumer, 1)).toHaveLength(1);
      expect(Date.now() - since).toBeGreaterThanOrEqual(500);
    });

    test("draining and removing take away what waits", async () => {
      const [one, other] = numbered("feeds", 2);
      await bench.stage.send(one!, other!);
      await bench.queue.remove(one!.message.id);
      expect(await bench.stage.engine.queues.locate([{ id: one!.message.id, queues: ["feeds"] }])).toEqual(["absent"]);
      await bench.queue.drain(true);
      expect(await bench.stage.counts("feeds")).toMatchObject({ waiting: 0, delayed: 0 });
    });
  });

  // Stock workers fail jobs that stalled twice, and leave it to the next taker to say so.
  describe("a stock worker's scan for stalled jobs", () => {
    test("does not make our messages fail", async () => {
      await bench.stage.send(...numbered("feeds", 1));
      const consumer = bench.worker();
      const [delivery] = await take(consumer, 1);
      await consumer.settleAndTake({ settle: [settlementOf(delivery!, outcomes.requeued)], take: 0 });
      await bench.broker.redis.hset(`${bench.broker.prefix}:feeds:${delivery!.id}`, {
        defa: "job stalled more than allowable limit",
        stc: 2,
      });
      expect(await takeOne(consumer)).toMatchObject({ id: delivery!.id, number: 2, content: { type: "message" } });
    });

    test("is not ours: however often a message was lost, it comes again", async () => {
      await bench.stage.send(...numbered("feeds", 1));
      const consumer = bench.stage.consume(["feeds"], { lease: 1000 });
      const { id } = await takeOne(consumer);
      await bench.broker.redis.hset(`${bench.broker.prefix}:feeds:${id}`, { stc: 1000 });
      await eventually("message to recover", async () => (await consumer.recover()) || undefined);
      expect(await takeOne(consumer)).toMatchObject({ id, number: 2, content: { type: "message" } });
      expect(await bench.broker.redis.hexists(`${bench.broker.prefix}:feeds:${id}`, "defa")).toBe(0);
    });
  });
});
