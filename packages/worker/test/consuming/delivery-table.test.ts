import { newId, type Delivery } from "@bullrush/broker";
import { expect, test } from "vitest";
import { DeliveryTable } from "../../src/consuming/delivery-table.js";
import type { DeliveryState, TrackedDelivery } from "../../src/consuming/tracked-delivery.js";

function deliveryOf(): Delivery {
  const id = newId();
  const message = { id, task: "add", args: [], headers: {}, priority: 0, retries: 0, rootId: id };
  return { queue: "default", id, number: 1, endedBefore: 0, crashes: 0, token: "t", content: { type: "message", message } };
}

/** A table, what its guard holds, and a delivery of it that has gone through `states`. */
function scene() {
  const held = new Set<Delivery>();
  const table = new DeliveryTable({
    hold: (deliveries) => deliveries.forEach((delivery) => held.add(delivery)),
    release: (delivery) => void held.delete(delivery),
  });
  const track = (...states: readonly DeliveryState[]): TrackedDelivery => {
    const [tracked] = table.take([deliveryOf()]) as [TrackedDelivery];
    for (const state of states) tracked.to(state);
    return tracked;
  };
  const counts = () => {
    const { size, running, waiting, unsettled, begun, lent, slotsInUse } = table;
    return { size, running, waiting, unsettled, begun, lent, slotsInUse };
  };
  return { table, held, track, counts };
}

const none = { size: 0, running: 0, waiting: 0, unsettled: 0, begun: 0, lent: 0, slotsInUse: 0 };

test("a delivery from its take to its settlement: each counter follows it, and nothing of it is left", () => {
  const { table, held, track, counts } = scene();
  const tracked = track();
  expect(counts()).toEqual({ ...none, size: 1 });
  expect([...held]).toEqual([tracked.delivery]);
  tracked.to("waiting");
  expect(counts()).toEqual({ ...none, size: 1, waiting: 1, slotsInUse: 1 });
  tracked.to("running");
  expect(counts()).toEqual({ ...none, size: 1, running: 1, begun: 1, slotsInUse: 1 });
  for (const state of ["ended", "storing", "settling"] as const) {
    tracked.to(state);
    expect(counts()).toEqual({ ...none, size: 1, unsettled: 1, begun: 1 });
  }
  tracked.to("settled");
  expect(counts()).toEqual(none);
  expect(held.size).toBe(0);
  expect(table.get(tracked.delivery)).toBeUndefined();
});

test("a delivery that never ran: it does not count as one that has begun", () => {
  const { track, counts } = scene();
  const tracked = track("waiting", "ended");
  expect(counts()).toEqual({ ...none, size: 1, unsettled: 1 });
  tracked.to("lost");
  expect(counts()).toEqual(none);
});

test("a slot that is lent: it is free for others until it is regained", () => {
  const { track, counts } = scene();
  const tracked = track("waiting", "running");
  for (const isLent of [true, true]) tracked.isLent = isLent;
  expect(counts()).toMatchObject({ lent: 1, running: 1, slotsInUse: 0 });
  tracked.isLent = false;
  expect(counts()).toMatchObject({ lent: 0, running: 1, slotsInUse: 1 });
});

test("a settlement that is refused: the delivery has ended again, and may be stored anew", () => {
  const { track, counts } = scene();
  const tracked = track("waiting", "running", "ended", "storing", "settling", "ended", "storing", "ended", "settling");
  expect(counts()).toMatchObject({ unsettled: 1, begun: 1 });
  expect(tracked.state).toBe("settling");
});

const states = ["taken", "waiting", "running", "ended", "storing", "settling", "settled", "lost"] as const;

const ways: Readonly<Record<DeliveryState, readonly DeliveryState[]>> = {
  taken: [],
  waiting: ["waiting"],
  running: ["waiting", "running"],
  ended: ["ended"],
  storing: ["ended", "storing"],
  settling: ["ended", "settling"],
  settled: ["ended", "settling", "settled"],
  lost: ["ended", "lost"],
};

test.each([
  ["taken", ["running", "storing", "settling", "settled", "lost"]],
  ["waiting", ["taken", "storing", "settling", "settled"]],
  ["running", ["taken", "waiting", "storing", "settling", "settled"]],
  ["ended", ["taken", "waiting", "running", "settled"]],
  ["storing", ["taken", "waiting", "running", "settled", "lost"]],
  ["settling", ["taken", "waiting", "running", "storing"]],
  ["settled", states],
  ["lost", states],
] as const)("a delivery that is %s: it refuses what does not follow, and nothing is counted", (from, refused) => {
  for (const to of refused) {
    const { track, counts } = scene();
    const tracked = track(...ways[from]);
    const before = counts();
    expect(() => tracked.to(to)).toThrow(`a delivery that is ${from} cannot become ${to}`);
    expect(tracked.state).toBe(from);
    expect(counts()).toEqual(before);
  }
});

test("the settlement of a delivery that has not ended: asking for it throws", () => {
  const { track } = scene();
  expect(() => track("waiting", "running").settlement).toThrow("a delivery that is running has no settlement");
});

test("a delivery that waits to run alone: its patience ends with the waiting", () => {
  const { track } = scene();
  const tracked = track("waiting");
  tracked.patience = setTimeout(() => undefined, 60_000);
  tracked.to("running");
  expect(tracked.patience).toBeUndefined();
});
