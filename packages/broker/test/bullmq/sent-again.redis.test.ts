import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { eventually } from "../../../../integration/lib/eventually.js";
import { newId } from "../../src/id.js";
import type { Consumer } from "../../src/ports/consumer.js";
import type { Delivery } from "../../src/ports/delivery.js";
import { messageOf, numbered, outcomes, settlementOf } from "../ports/messages.js";
import { takeOne } from "../ports/waiting.js";
import { openBench, type Bench } from "./bench.js";

describe("a message that has ended, and that BullMQ's tools send round again", () => {
  let bench: Bench;

  beforeEach(() => {
    bench = openBench();
  });

  afterEach(() => bench.close());

  /** The second delivery of a message whose first worker died; it has begun to run. */
  async function begun(consumer: Consumer): Promise<Delivery> {
    await bench.stage.send(...numbered("feeds", 1));
    await takeOne(consumer);
    await eventually("recovery", async () => (await consumer.recover()) > 0);
    const delivery = await takeOne(consumer);
    expect(delivery).toMatchObject({ number: 2, crashes: 1 });
    await consumer.begin(delivery);
    return delivery;
  }

  test.each([
    ["completed", outcomes.succeeded],
    ["failed", outcomes.failed],
  ] as const)("has no crashes that were before it %s", async (state, outcome) => {
    const consumer = bench.stage.consume(["feeds"], { lease: 300 });
    const delivery = await begun(consumer);
    await consumer.settleAndTake({ settle: [settlementOf(delivery, outcome)], take: 0 });
    await (await bench.queue.getJob(delivery.id))?.retry(state);
    expect(await takeOne(consumer)).toMatchObject({ id: delivery.id, number: 3, endedBefore: 1, crashes: 0 });
  });

  test("is revoked no more", async () => {
    const consumer = bench.worker();
    const message = messageOf();
    await bench.stage.send({ queue: "feeds", message });
    const revoke = () => bench.stage.engine.queues.revoke([message.id], ["feeds"], { reason: "too late", terminate: true });
    await revoke();
    const dropped = await takeOne(consumer);
    expect(dropped.revoked).toBe("too late");
    await consumer.settleAndTake({ settle: [settlementOf(dropped, outcomes.revoked)], take: 0 });
    await (await bench.queue.getJob(message.id))?.retry("failed");
    const again = await takeOne(consumer);
    expect(again.revoked).toBeUndefined();
    expect(await consumer.renew([again])).toEqual({ lost: [], revoked: [] });
    // It succeeds before its worker has heard of it.
    await revoke();
    await consumer.settleAndTake({ settle: [settlementOf(again)], take: 0 });
    await (await bench.queue.getJob(message.id))?.retry("completed");
    expect((await takeOne(consumer)).revoked).toBeUndefined();
  });

  test("is revoked no more, if a plain producer sent it", async () => {
    const consumer = bench.worker();
    const { id } = await bench.queue.add("a", "theirs", { jobId: newId() });
    await bench.stage.engine.queues.revoke([id!], ["feeds"], { reason: "too late", terminate: false });
    await consumer.settleAndTake({ settle: [settlementOf(await takeOne(consumer), outcomes.revoked)], take: 0 });
    await (await bench.queue.getJob(id!))?.retry("failed");
    expect((await takeOne(consumer)).revoked).toBeUndefined();
  });
});
