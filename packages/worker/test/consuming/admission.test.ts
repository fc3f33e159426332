import { newId, type Delivery } from "@bullrush/broker";
import { expect, it } from "vitest";
import { Admission } from "../../src/consuming/admission.js";

/** An admission, and what has begun so far; what crashed before is risky. By default those whose slots are lent wait for it. */
function scene(isAwaited = true): { readonly admission: Admission; readonly begun: readonly Delivery[] } {
  const begun: Delivery[] = [];
  const start = (delivery: Delivery) => void begun.push(delivery);
  return { admission: new Admission({ isRisky: ({ crashes }) => crashes > 0, isAwaited: () => isAwaited, start }), begun };
}

function deliveryWith(crashes: number): Delivery {
  const id = newId();
  const message = { id, task: "add", args: [], headers: {}, priority: 0, retries: 0, rootId: id };
  return { queue: "default", id, number: 1, endedBefore: 0, crashes, token: "t", content: { type: "message", message } };
}

it("lets harmless deliveries begin at once, beside each other", () => {
  const { admission, begun } = scene();
  const deliveries = [deliveryWith(0), deliveryWith(0)];
  for (const delivery of deliveries) admission.enter(delivery);
  expect(begun).toEqual(deliveries);
  expect(admission.closed).toBe(false);
});

it("lets a risky one begin when all before it are settled, not only ended", () => {
  const { admission, begun } = scene();
  const [harmless, risky] = [deliveryWith(0), deliveryWith(2)];
  admission.enter(harmless);
  admission.enter(risky);
  admission.ended(harmless);
  expect(begun).toEqual([harmless]);
  expect(admission.closed).toBe(true);
  admission.leave(harmless);
  expect(begun).toEqual([harmless, risky]);
});

it("lets those behind a risky one begin as soon as it has ended, in their order", () => {
  const { admission, begun } = scene();
  const [risky, first, second] = [deliveryWith(2), deliveryWith(0), deliveryWith(0)];
  for (const delivery of [risky, first, second]) admission.enter(delivery);
  expect(begun).toEqual([risky]);
  admission.ended(risky);
  expect(begun).toEqual([risky, first, second]);
  expect(admission.closed).toBe(false);
});

it("lets a risky one begin beside those whose slots are lent: they may wait for it", () => {
  const { admission, begun } = scene();
  const [outer, risky] = [deliveryWith(0), deliveryWith(2)];
  admission.enter(outer);
  admission.enter(risky);
  expect(begun).toEqual([outer]);
  admission.lend(outer);
  expect(begun).toEqual([outer, risky]);
});

it("does not let a risky one begin beside those whose slots are lent and that wait for others: it would take them along", () => {
  const { admission, begun } = scene(false);
  const [outer, risky] = [deliveryWith(0), deliveryWith(2)];
  admission.enter(outer);
  admission.lend(outer);
  admission.enter(risky);
  expect(begun).toEqual([outer]);
  admission.leave(outer);
  expect(begun).toEqual([outer, risky]);
});

it("lets others begin beside a risky one whose slot is lent, and counts it again when it has it back", () => {
  const { admission, begun } = scene();
  const [risky, inner, next] = [deliveryWith(2), deliveryWith(0), deliveryWith(2)];
  admission.enter(risky);
  admission.enter(inner);
  admission.lend(risky);
  expect(begun).toEqual([risky, inner]);
  admission.leave(inner);
  admission.regain(risky);
  admission.enter(next);
  expect(begun).toEqual([risky, inner]);
});

it("gives back those that have not begun, and lets none of them begin", () => {
  const { admission, begun } = scene();
  const deliveries = [deliveryWith(0), deliveryWith(2), deliveryWith(0)];
  for (const delivery of deliveries) admission.enter(delivery);
  expect(admission.withdraw()).toEqual(deliveries.slice(1));
  admission.leave(deliveries[0]!);
  expect(begun).toEqual(deliveries.slice(0, 1));
  expect(admission.waiting).toEqual([]);
});
