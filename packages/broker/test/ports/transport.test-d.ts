import { expectTypeOf, test } from "vitest";
import type { BullrushError, Consumer, Content, Delivery, Settlement, BrokerFacets } from "@bullrush/broker";

test("publishing gives an error or nothing for each message", () => {
  expectTypeOf<BrokerFacets["queues"]["publish"]>().returns.resolves.toEqualTypeOf<readonly (BullrushError | undefined)[]>();
});

test("content is read only after its type was looked at", () => {
  const read = (content: Content) => {
    // @ts-expect-error it may be undecodable
    void content.message;
    return content.type === "undecodable" ? content.error.code : content.message.task;
  };
  expectTypeOf(read).returns.toBeString();
});

test("a delivery is settled by an outcome, and nothing of it can be changed", () => {
  const settle = (consumer: Consumer, delivery: Delivery) => {
    // @ts-expect-error how often it was taken is for the broker to say
    delivery.number = 2;
    // @ts-expect-error there is no settling without an outcome
    const settlement: Settlement = { delivery };
    return consumer.settleAndTake({ settle: [settlement, { delivery, outcome: { type: "requeued", reason: "shutdown" } }], take: 1 });
  };
  expectTypeOf(settle).returns.resolves.toHaveProperty("deliveries").toEqualTypeOf<readonly Delivery[]>();
});
