import { newId } from "../id.js";
import { encodeMessage } from "../protocol/codec.js";
import { replyChannel } from "../protocol/reply-channel.js";
import { equal, matches } from "./assertions.js";
import { messageOf, outcomes, routed, settlementOf } from "./messages.js";
import { contentOf, takeAll, takeOne } from "./stage.js";
import type { Suite } from "./suite.js";

const asked = { reason: "too late", terminate: false };

export function describeRevoking({ describe, test }: Suite): void {
  describe("revoking", () => {
    test("messages that wait: they are found in all their queues, and whoever takes them is told", async (stage) => {
      const replyTo = replyChannel("somebody");
      const eta = Math.round(stage.now() + 500);
      const messages = [
        messageOf({ replyTo, args: ["x".repeat(10_000)] }),
        messageOf({ priority: 4, replyTo, resent: true }),
        messageOf({ eta, task: "tasks.later" }),
      ];
      await stage.send(...messages.map((message, index) => ({ queue: index === 0 ? "a" : "b", message })));
      const ids = messages.map(({ id }) => id);
      equal(await stage.engine.queues.revoke(ids, ["none", "a", "b"], asked), [
        { location: "waiting", queue: "a", task: "tasks.add", replyTo },
        { location: "waiting", queue: "b", task: "tasks.add", replyTo },
        { location: "waiting", queue: "b", task: "tasks.later", due: eta },
      ]);
      const deliveries = await stage.hear(stage.consume(["a", "b"]), 3);
      equal(new Map(deliveries.map(({ id, revoked }) => [id, revoked])), new Map(ids.map((id) => [id, "too late"])));
    });

    test("a message that is taken: its worker is told at each renewal, and others are not", async (stage) => {
      await stage.send(routed(), routed());
      const consumer = stage.consume();
      const [delivery, untouched] = await takeAll(consumer, 2);
      matches(await stage.engine.queues.revoke([delivery.id], ["feeds"], asked), [
        { location: "taken", queue: "feeds", task: "tasks.add" },
      ]);
      for (let times = 0; times < 2; times++) {
        equal(await consumer.renew([delivery, untouched]), { lost: [], revoked: [{ delivery, revocation: asked }] });
      }
      equal((await consumer.settleAndTake({ settle: [settlementOf(delivery, outcomes.revoked)], take: 0 })).settled, ["settled"]);
      matches(await stage.counts(), { failed: 1, active: 1 });
    });

    test("three times: the first reason stands, and it is to end at once if anybody wants that", async (stage) => {
      await stage.send(routed());
      const consumer = stage.consume();
      const delivery = await takeOne(consumer);
      await stage.engine.queues.revoke([delivery.id], ["feeds"], asked);
      await stage.engine.queues.revoke([delivery.id], ["feeds"], { reason: "no longer wanted", terminate: true });
      await stage.other.queues.revoke([delivery.id], ["feeds"], { reason: "really", terminate: false });
      const { revoked } = await consumer.renew([delivery]);
      equal(revoked, [{ delivery, revocation: { reason: "too late", terminate: true } }]);
    });

    test("a message that is put back, one whose worker dies, one that is retried: it holds for each", async (stage) => {
      const { lease } = stage.space;
      const messages = [messageOf(), messageOf(), messageOf()];
      await stage.send(...messages.map((message) => ({ queue: "feeds", message })));
      const consumer = stage.consume(["feeds"], { lease });
      const [putBack, lost, retried] = await takeAll(consumer, 3);
      const ids = [putBack, lost, retried].map(({ id }) => id);
      await stage.engine.queues.revoke(ids, ["feeds"], asked);
      const text = encodeMessage({ ...contentOf(retried), retries: 1 });
      const retry = { type: "retried", failure: { name: "Error", message: "no" }, text, eta: stage.now() + 100 } as const;
      await consumer.settleAndTake({ settle: [settlementOf(putBack, outcomes.requeued), settlementOf(retried, retry)], take: 0 });
      await stage.eventually("recovery", async () => (await consumer.recover()) > 0);
      const again = await stage.hear(stage.consume(), 3);
      equal(new Map(again.map(({ id, revoked }) => [id, revoked])), new Map(ids.map((id) => [id, "too late"])));
      equal(lost.revoked, undefined);
    });

    test("what has ended or is not there: nothing is marked", async (stage) => {
      await stage.send(routed());
      const consumer = stage.consume();
      const delivery = await takeOne(consumer);
      await consumer.settleAndTake({ settle: [settlementOf(delivery)], take: 0 });
      const { queues } = stage.engine;
      equal(await queues.revoke([delivery.id, newId()], ["feeds"], asked), [{ location: "ended" }, { location: "absent" }]);
      equal(await queues.revoke([delivery.id], [], asked), [{ location: "absent" }]);
      equal(await queues.revoke([], ["feeds"], asked), []);
    });

    test("an id that is in two queues: it holds in both", async (stage) => {
      const message = messageOf();
      await stage.send({ queue: "a", message }, { queue: "b", message });
      await takeOne(stage.consume(["b"]));
      matches(await stage.engine.queues.revoke([message.id], ["a", "b"], asked), [{ location: "taken", queue: "b" }]);
      matches(await takeOne(stage.consume(["a"])), { id: message.id, revoked: "too late" });
    });

    test("a message in a queue that is not named: it is marked there only if that is asked for", async (stage) => {
      const message = messageOf();
      await stage.send({ queue: "far", message });
      equal(await stage.other.queues.revoke([message.id], ["near"], asked), [{ location: "absent" }]);
      matches(await stage.other.queues.revoke([message.id], ["near"], asked, true), [{ location: "waiting", queue: "far" }]);
      equal(await stage.other.queues.locate([{ id: message.id, queues: [], elsewhere: true }]), [{ revoked: "too late" }]);
    });
  });
}
