import { newId, type Delivery } from "@bullrush/broker";
import { expect, it } from "vitest";
import { Admission } from "../../src/consuming/admission.js";
import { DeliveryTable } from "../../src/consuming/delivery-table.js";
import type { TrackedDelivery } from "../../src/consuming/tracked-delivery.js";

/** An admission, its table, and what has begun so far; what crashed before is risky. By default those whose slots are lent wait for it. */
function scene(isAwaited = true) {
  const table = new DeliveryTable({ hold: () => undefined, release: () => undefined });
  const begun: TrackedDelivery[] = [];
  const start = (tracked: TrackedDelivery) => {
    tracked.to("running");
    begun.push(tracked);
  };
  const admission = new Admission({ table, isRisky: ({ crashes }) => crashes > 0, isAwaited: () => isAwaited, start });
  const steps = {
    take: (...crashes: readonly number[]) => table.take(crashes.map(deliveryWith)),
    enter: (tracked: TrackedDelivery) => admission.enter(tracked),
    ended: (tracked: TrackedDelivery) => {
      tracked.end({ delivery: tracked.delivery, outcome: { type: "succeeded" } });
      admission.freed(tracked.delivery);
    },
    lend: (tracked: TrackedDelivery) => {
      tracked.isLent = true;
      admission.freed(tracked.delivery);
    },
    regain: (tracked: TrackedDelivery) => void (tracked.isLent = false),
    leave: (tracked: TrackedDelivery) => {
      tracked.isLent = false;
      tracked.to("lost");
      admission.freed(tracked.delivery);
    },
  };
  return { admission, begun, table, ...steps };
}

function deliveryWith(crashes: number): Delivery {
  const id = newId();
  const message = { id, task: "add", args: [], headers: {}, priority: 0, retries: 0, rootId: id };
  return { queue: "default", id, number: 1, endedBefore: 0, crashes, token: "t", content: { type: "message", message } };
}

it("harmless deliveries: they begin at once, beside each other", () => {
  const { admission, begun, take, enter } = scene();
  const deliveries = take(0, 0);
  deliveries.forEach(enter);
  expect(begun).toEqual(deliveries);
  expect(admission.closed).toBe(false);
});

it("a risky one: it begins when all before it are settled, not only ended", () => {
  const { admission, begun, take, enter, ended, leave } = scene();
  const [harmless, risky] = take(0, 2) as [TrackedDelivery, TrackedDelivery];
  enter(harmless);
  enter(risky);
  ended(harmless);
  expect(begun).toEqual([harmless]);
  expect(admission.closed).toBe(true);
  leave(harmless);
  expect(begun).toEqual([harmless, risky]);
});

it("those behind a risky one: they begin as soon as it has ended, in their order", () => {
  const { admission, begun, take, enter, ended } = scene();
  const deliveries = take(2, 0, 0);
  deliveries.forEach(enter);
  expect(begun).toEqual(deliveries.slice(0, 1));
  ended(deliveries[0]!);
  expect(begun).toEqual(deliveries);
  expect(admission.closed).toBe(false);
});

it("a risky one that is awaited: it begins beside those whose slots are lent", () => {
  const { begun, take, enter, lend } = scene();
  const [outer, risky] = take(0, 2) as [TrackedDelivery, TrackedDelivery];
  enter(outer);
  enter(risky);
  expect(begun).toEqual([outer]);
  lend(outer);
  expect(begun).toEqual([outer, risky]);
});

it("a risky one that nobody awaits: it does not begin beside those whose slots are lent, for it would take them along", () => {
  const { begun, take, enter, lend, leave } = scene(false);
  const [outer, risky] = take(0, 2) as [TrackedDelivery, TrackedDelivery];
  enter(outer);
  lend(outer);
  enter(risky);
  expect(begun).toEqual([outer]);
  leave(outer);
  expect(begun).toEqual([outer, risky]);
});

it("a risky one whose slot is lent: others begin beside it, and it counts again when it has the slot back", () => {
  const { begun, take, enter, lend, regain, leave } = scene();
  const [risky, inner, next] = take(2, 0, 2) as [TrackedDelivery, TrackedDelivery, TrackedDelivery];
  enter(risky);
  enter(inner);
  lend(risky);
  expect(begun).toEqual([risky, inner]);
  leave(inner);
  regain(risky);
  enter(next);
  expect(begun).toEqual([risky, inner]);
});

it("those that have not begun and are withdrawn: none of them begins", () => {
  const { admission, begun, take, enter, leave } = scene();
  const deliveries = take(0, 2, 0);
  deliveries.forEach(enter);
  expect(admission.withdraw()).toEqual(deliveries.slice(1));
  leave(deliveries[0]!);
  expect(begun).toEqual(deliveries.slice(0, 1));
});

it("one that leaves the line before it may begin: it is skipped", () => {
  const { begun, take, enter, leave } = scene();
  const [first, risky, last] = take(0, 2, 0) as [TrackedDelivery, TrackedDelivery, TrackedDelivery];
  for (const tracked of [first, risky, last]) enter(tracked);
  leave(risky);
  expect(begun).toEqual([first, last]);
});
