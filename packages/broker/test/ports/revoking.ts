import { describe, expect, test } from "vitest";
import { eventually } from "../../../../integration/lib/eventually.js";
import { newId } from "../../src/id.js";
import { replyChannel } from "../../src/protocol/reply-channel.js";
import { encodeMessage } from "../../src/protocol/codec.js";
import { contentOf, messageOf, outcomes, settlementOf } from "./messages.js";
import type { Stage } from "./stage.js";
import { hear, takeOne } from "./waiting.js";

/** In ms. */
const lease = 300;

const asked = { reason: "too late", terminate: false };

export function describeRevoking(stage: () => Stage): void {
  describe("revoking", () => {
    test("a message that waits: it is found wherever it is, and whoever takes it is told", async () => {
      const replyTo = replyChannel("somebody");
      const eta = Date.now() + 200;
      const messages = [
        messageOf({ replyTo, args: ["x".repeat(10_000)] }),
        messageOf({ priority: 4, replyTo, resent: true }),
        messageOf({ eta, task: "tasks.later" }),
      ];
      await stage().send(...messages.map((message, index) => ({ queue: index === 0 ? "a" : "b", message })));
      const ids = messages.map(({ id }) => id);
      expect(await stage().engine.queues.revoke(ids, ["none", "a", "b"], asked)).toEqual([
        { location: "waiting", queue: "a", task: "tasks.add", replyTo },
        { location: "waiting", queue: "b", task: "tasks.add", replyTo },
        { location: "waiting", queue: "b", task: "tasks.later", due: eta },
      ]);
      const deliveries = await hear(stage().consume(["a", "b"]), 3);
      expect(new Map(deliveries.map(({ id, revoked }) => [id, revoked]))).toEqual(new Map(ids.map((id) => [id, "too late"])));
    });

    test("a message that is taken: its worker learns it with the lease, again and again, and others do not", async () => {
      const [message, other] = [messageOf(), messageOf()];
      await stage().send({ queue: "a", message }, { queue: "a", message: other });
      const consumer = stage().consume(["a"]);
      const [delivery, untouched] = [await takeOne(consumer), await takeOne(consumer)];
      expect(delivery.revoked).toBeUndefined();
      expect(await stage().engine.queues.revoke([message.id], ["a"], asked)).toEqual([
        { location: "taken", queue: "a", task: "tasks.add" },
      ]);
      for (let times = 0; times < 2; times++) {
        expect(await consumer.renew([delivery, untouched])).toEqual({ lost: [], revoked: [{ delivery, revocation: asked }] });
      }
      expect((await consumer.settleAndTake({ settle: [settlementOf(delivery, outcomes.revoked)], take: 0 })).settled).toEqual(["settled"]);
      expect(await stage().counts("a")).toMatchObject({ failed: 1, active: 1 });
    });

    test("says again why it was first, and that it is to end at once if anybody wants that", async () => {
      const message = messageOf();
      await stage().send({ queue: "a", message });
      const consumer = stage().consume(["a"]);
      const delivery = await takeOne(consumer);
      await stage().engine.queues.revoke([message.id], ["a"], asked);
      await stage().engine.queues.revoke([message.id], ["a"], { reason: "no longer wanted", terminate: true });
      await stage().engine.queues.revoke([message.id], ["a"], { reason: "really", terminate: false });
      const { revoked } = await consumer.renew([delivery]);
      expect(revoked).toEqual([{ delivery, revocation: { reason: "too late", terminate: true } }]);
    });

    test("holds when the message is put back, when its worker dies, and when its next attempt is due", async () => {
      const messages = [messageOf(), messageOf(), messageOf()];
      const [putBack, lost, retried] = messages.map(({ id }) => id);
      await stage().send(...messages.map((message) => ({ queue: "a", message })));
      const consumer = stage().consume(["a"], { lease });
      const deliveries = await hear(consumer, 3);
      await stage().engine.queues.revoke([putBack!, lost!, retried!], ["a"], asked);
      const next = { ...contentOf(deliveries.find(({ id }) => id === retried)!), retries: 1 };
      const retry = {
        type: "retried",
        failure: { name: "Error", message: "no" },
        text: encodeMessage(next),
        eta: Date.now() + 100,
      } as const;
      await consumer.settleAndTake({
        settle: deliveries.flatMap((delivery) =>
          delivery.id === lost ? [] : settlementOf(delivery, delivery.id === retried ? retry : outcomes.requeued),
        ),
        take: 0,
      });
      await eventually("recovery", async () => (await consumer.recover()) > 0);
      const again = await hear(stage().consume(["a"]), 3);
      expect(new Map(again.map(({ id, revoked }) => [id, revoked]))).toEqual(new Map(messages.map(({ id }) => [id, "too late"])));
    });

    test("marks nothing that has ended or is not there", async () => {
      const message = messageOf();
      await stage().send({ queue: "a", message });
      const consumer = stage().consume(["a"]);
      await consumer.settleAndTake({ settle: [settlementOf(await takeOne(consumer))], take: 0 });
      const { engine } = stage();
      expect(await engine.queues.revoke([message.id, newId()], ["a"], asked)).toEqual([{ location: "ended" }, { location: "absent" }]);
      expect(await engine.queues.revoke([message.id], [], asked)).toEqual([{ location: "absent" }]);
      expect(await engine.queues.revoke([], ["a"], asked)).toEqual([]);
    });

    test("many long messages are all marked, though not all are read for who waits for them", async () => {
      const replyTo = replyChannel("somebody");
      const long = Array.from({ length: 12 }, () => messageOf({ replyTo, args: ["x".repeat(1_000_000)] }));
      const messages = [...long, messageOf({ replyTo })];
      await stage().send(...messages.map((message) => ({ queue: "a", message })));
      const marked = await stage().engine.queues.revoke(
        messages.map(({ id }) => id),
        ["a"],
        asked,
      );
      expect(marked).toMatchObject(messages.map(() => ({ location: "waiting", queue: "a", task: "tasks.add" })));
      const told = marked.map((found) => "replyTo" in found && found.replyTo === replyTo);
      expect(told).toEqual([...Array(8).fill(true), ...Array(4).fill(false), true]);
      const deliveries = await hear(stage().consume(["a"]), 13);
      expect(deliveries.map(({ revoked }) => revoked)).toEqual(messages.map(() => "too late"));
    });

    test("an id that was sent to two queues holds in both", async () => {
      const message = messageOf();
      await stage().send({ queue: "a", message }, { queue: "b", message });
      const taken = await takeOne(stage().consume(["b"]));
      expect(await stage().engine.queues.revoke([message.id], ["a", "b"], asked)).toMatchObject([{ location: "taken", queue: "b" }]);
      expect(await takeOne(stage().consume(["a"]))).toMatchObject({ id: taken.id, revoked: "too late" });
    });
  });
}
