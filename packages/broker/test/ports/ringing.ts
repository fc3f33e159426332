import { describe, expect, test } from "vitest";
import { eventually } from "../../../../integration/lib/eventually.js";
import type { Consumer } from "../../src/ports/consumer.js";
import { messageOf, numbered } from "./messages.js";
import type { Stage } from "./stage.js";
import { hear, take } from "./waiting.js";

export function describeRinging(stage: () => Stage): void {
  const send = (queue = "feeds", ahead = 0) => stage().send({ queue, message: messageOf({ eta: Date.now() + ahead }) });

  /** A worker that has looked and found nothing. */
  async function idle(queues: readonly string[] = ["feeds"], worker = "worker-a", lease = 30_000): Promise<Consumer> {
    const consumer = stage().consume(queues, { worker, lease });
    expect(await take(consumer, 1)).toEqual([]);
    expect(consumer.hasWork()).toBe(false);
    return consumer;
  }

  /** Rings until it is worth looking. */
  const rung = (consumer: Consumer) =>
    eventually("ring", async () => {
      await consumer.wait();
      return consumer.hasWork();
    });

  describe("a worker that waits", () => {
    test("hears a message, and takes nothing by hearing", async () => {
      const consumer = await idle();
      const hearing = rung(consumer);
      await send();
      await hearing;
      expect(await stage().counts("feeds")).toMatchObject({ waiting: 1, active: 0 });
      expect(await take(consumer, 5)).toHaveLength(1);
    });

    test("hears a message that was sent between its look and its ring", async () => {
      const consumer = await idle();
      await send();
      expect(await hear(consumer, 1)).toHaveLength(1);
    });

    test("hears whichever queue gets a message", async () => {
      const consumer = await idle(["a", "b", "c"]);
      for (const queue of ["c", "a", "b", "b"]) {
        const heard = hear(consumer, 1);
        await send(queue);
        expect(await heard).toMatchObject([{ queue }]);
      }
    });

    test("need not wait while there is more", async () => {
      await stage().send(...numbered("feeds", 3));
      const consumer = stage().consume(["feeds"]);
      await take(consumer, 1);
      expect(consumer.hasWork()).toBe(true);
      await consumer.wait();
      // After a wait that ended by itself it would be false.
      expect(consumer.hasWork()).toBe(true);
    });

    test("stops by itself, before its connection is taken for dead and its queues are in doubt", async () => {
      const consumer = await idle(["feeds"], "worker-a", 3000);
      const since = Date.now();
      await consumer.wait();
      expect(consumer.hasWork()).toBe(false);
      expect(Date.now() - since).toBeGreaterThanOrEqual(1900);
    });
  });

  describe("a delayed message is heard when it is due", () => {
    test("by a worker that waited before it was sent", async () => {
      const consumer = await idle();
      const heard = hear(consumer, 1);
      await send("feeds", 300);
      expect(await heard).toHaveLength(1);
    });

    test("by a worker that came later", async () => {
      await send("feeds", 300);
      const consumer = await idle();
      expect(await hear(consumer, 1)).toHaveLength(1);
    });

    test("though a later one was known before", async () => {
      const consumer = await idle();
      await send("feeds", 60_000);
      await consumer.wait();
      expect(consumer.hasWork()).toBe(false);
      const heard = hear(consumer, 1);
      await send("feeds", 300);
      expect(await heard).toHaveLength(1);
    });

    test("by another worker, when the one that heard of it is busy with another queue", async () => {
      const [busy, free] = [await idle(["feeds", "mail"]), await idle(["feeds", "mail"], "worker-b")];
      await send("feeds", 500);
      await busy.wait();
      await send("mail");
      await rung(busy);
      expect(await take(busy, 1)).toMatchObject([{ queue: "mail" }]);
      await busy.releaseWakeups();
      expect(await hear(free, 1)).toMatchObject([{ queue: "feeds" }]);
    });

    test("by another worker, when the one that took the message before has no slot left", async () => {
      const [full, free] = [await idle(), await idle(["feeds"], "worker-b")];
      for (const ahead of [200, 2000]) await send("feeds", ahead);
      await rung(full);
      expect(await take(full, 2)).toHaveLength(1);
      await full.releaseWakeups();
      expect(await hear(free, 1)).toHaveLength(1);
    });

    test("each of several", async () => {
      const consumer = await idle();
      const heard = hear(consumer, 3);
      for (const ahead of [450, 150, 300]) await send("feeds", ahead);
      expect(await heard).toHaveLength(3);
    });
  });

  describe("of several workers that wait", () => {
    test("all hear, one after the other, while messages are left", async () => {
      const workers = await Promise.all(["worker-a", "worker-b", "worker-c"].map((worker) => idle(["feeds"], worker)));
      const heard = Promise.all(workers.map((worker) => hear(worker, 1)));
      await stage().send(...numbered("feeds", 3));
      const ids = (await heard).map(([delivery]) => delivery?.id);
      expect(new Set(ids).size).toBe(3);
    });

    test("another hears what is passed on", async () => {
      const [first, second] = [await idle(), await idle(["feeds"], "worker-b", 3000)];
      const hearing = rung(first);
      await send();
      await hearing;
      await second.wait();
      expect(second.hasWork()).toBe(false);
      await first.releaseWakeups();
      await rung(second);
      expect(await take(second, 1)).toHaveLength(1);
    });

    test("what is passed on for later does not hide what is due before", async () => {
      const [first, second] = [await idle(), await idle(["feeds"], "worker-b")];
      await send("feeds", 60_000);
      await first.wait();
      await send("feeds", 400);
      await first.releaseWakeups();
      expect(await hear(second, 1)).toHaveLength(1);
    });

    test("one that is muted leaves what comes to the others, and can still pass on what it heard before", async () => {
      const [leaving, other] = [await idle(["feeds", "mail"]), await idle(["feeds", "mail"], "worker-b")];
      await send("mail", 1500);
      await leaving.wait();
      const ringing = leaving.wait();
      leaving.stopListening();
      await expect(ringing).rejects.toMatchObject({ code: "BROKER_UNAVAILABLE" });
      await send("feeds");
      expect(await hear(other, 1)).toMatchObject([{ queue: "feeds" }]);
      await leaving.releaseWakeups();
      expect(await hear(other, 1)).toMatchObject([{ queue: "mail" }]);
    });

    test("nobody hears what was not rung", async () => {
      const [first, second] = [await idle(["feeds"], "worker-a", 1500), await idle(["feeds"], "worker-b", 1500)];
      await first.releaseWakeups();
      await second.wait();
      expect(second.hasWork()).toBe(false);
    });
  });

  describe("a queue that rests", () => {
    test("gives nothing until its rest is over, and then without a further ring", async () => {
      await stage().send(...numbered("feeds", 2), ...numbered("mail", 1));
      const consumer = stage().consume(["feeds", "mail"]);
      const until = Date.now() + 3000;
      consumer.backOff("feeds", 3000);
      const [mail, ...more] = await take(consumer, 5);
      expect([mail?.queue, more]).toEqual(["mail", []]);
      const [first] = await hear(consumer, 1);
      expect(first?.queue).toBe("feeds");
      expect(Date.now()).toBeGreaterThanOrEqual(until);
    });

    test("is not rung for: the ring is left to others", async () => {
      const [consumer, other] = [await idle(["feeds", "mail"], "worker-a", 1500), await idle(["feeds"], "worker-b")];
      consumer.backOff("feeds", 60_000);
      await send("feeds");
      await consumer.wait();
      expect(consumer.hasWork()).toBe(false);
      expect(await hear(other, 1)).toHaveLength(1);
      const heard = hear(consumer, 1);
      await send("mail");
      expect(await heard).toMatchObject([{ queue: "mail" }]);
    });

    test("lets the worker wait when it is the only one", async () => {
      const consumer = await idle(["feeds"], "worker-a", 1500);
      consumer.backOff("feeds", 60_000);
      const since = Date.now();
      await consumer.wait();
      expect(Date.now() - since).toBeGreaterThanOrEqual(200);
      expect(consumer.hasWork()).toBe(false);
    });
  });
}
