import { newId, type Delivery } from "@bullrush/broker";
import { pino } from "pino";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { DeliveryTable } from "../../src/consuming/delivery-table.js";
import { LentSlots, mostLent } from "../../src/consuming/lent-slots.js";
import { Promotion } from "../../src/consuming/promotion.js";
import type { TrackedDelivery } from "../../src/consuming/tracked-delivery.js";

let table: DeliveryTable;

beforeEach(() => {
  vi.useFakeTimers();
  table = new DeliveryTable({ hold: () => undefined, release: () => undefined });
});
afterEach(() => void vi.useRealTimers());

/** A task that runs. */
function execution(): TrackedDelivery {
  const id = newId();
  const message = { id, task: "outer", args: [], headers: {}, priority: 0, retries: 0, rootId: id };
  const delivery: Delivery = {
    queue: "default",
    id,
    number: 1,
    endedBefore: 0,
    crashes: 0,
    token: "t",
    content: { type: "message", message },
  };
  const [tracked] = table.take([delivery]);
  tracked!.to("waiting");
  tracked!.to("running");
  return tracked!;
}

/** Lent slots of tasks that run, with a broker that can move the messages in `movable`. */
function scene() {
  const lines: Readonly<Record<string, unknown>>[] = [];
  const log = pino({ base: null }, { write: (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>) });
  const movable = new Set<string>();
  const here = new Set<string>();
  const promote = (messages: readonly { readonly id: string }[]) => Promise.resolve(messages.map(({ id }) => movable.has(id)));
  const slots = new LentSlots({
    clock: { now: () => performance.now() },
    table,
    onLent: () => undefined,
    onDue: () => undefined,
    openPromotion: (lend) =>
      new Promotion({
        consumer: { promote },
        clock: { now: () => Date.now() },
        log,
        onTrouble: (error) => {
          throw error;
        },
        here: () => here,
        lend,
      }),
  });
  const end = (one: TrackedDelivery) => {
    slots.end(one);
    one.to("lost");
  };
  return { slots, lines, movable, here, end };
}

const awaiting =
  (...ids: readonly string[]) =>
  () =>
    ids.map((id) => ({ id, queues: ["default"] }));

/** Which of these promises have resolved. */
async function settled(promises: readonly Promise<unknown>[]): Promise<readonly boolean[]> {
  const done = promises.map(() => false);
  promises.forEach((promise, index) => void promise.then(() => (done[index] = true)));
  await vi.advanceTimersByTimeAsync(0);
  return done;
}

it("slots are regained first come, first served, as many as are free", async () => {
  const { slots } = scene();
  const loans = [execution(), execution(), execution()].map((one) => slots.wait(one, awaiting("a"))!);
  expect([table.lent, slots.due]).toEqual([3, 0]);
  const regained = loans.map((loan) => loan.regain());
  expect([table.lent, slots.due]).toEqual([3, 3]);
  expect(await settled(regained)).toEqual([false, false, false]);
  slots.grant(2);
  expect(await settled(regained)).toEqual([true, true, false]);
  slots.grant(0);
  slots.grant(-1);
  expect([table.lent, slots.due]).toEqual([1, 1]);
});

it("a task that waits for two results at once lends again when it has the first", async () => {
  const { slots } = scene();
  const outer = execution();
  const [first, second] = [slots.wait(outer, awaiting("a"))!, slots.wait(outer, awaiting("b"))!];
  expect(table.lent).toBe(1);
  const regained = first.regain();
  slots.grant(1);
  expect(await settled([regained])).toEqual([true]);
  expect(table.lent).toBe(1);
  const last = second.regain();
  slots.grant(1);
  expect(await settled([last])).toEqual([true]);
  expect(table.lent).toBe(0);
});

it("a task that is asked to end regains its slot at once, whether it waits for one or will", async () => {
  const { slots } = scene();
  const [waiting, later] = [execution(), execution()];
  const loan = slots.wait(later, awaiting("a"))!;
  const regained = slots.wait(waiting, awaiting("a"))!.regain();
  expect(await settled([regained])).toEqual([false]);
  for (const { stop } of [waiting, later]) stop.request(new Error("revoked"));
  expect(await settled([regained, loan.regain()])).toEqual([true, true]);
  expect([table.lent, slots.due]).toEqual([0, 0]);
});

it("a task that ends gives up its loan, and lends nothing after that", async () => {
  const { slots, end } = scene();
  const outer = execution();
  const regained = slots.wait(outer, awaiting("a"))!.regain();
  end(outer);
  expect(await settled([regained])).toEqual([true]);
  expect([table.lent, slots.due]).toEqual([0, 0]);
  expect(slots.wait(outer, awaiting("b"))).toBeUndefined();
});

it("a task that looks a second time in vain lends its slot until a look finds the result", async () => {
  const { slots } = scene();
  const outer = execution();
  const look = (id: string, ended: boolean) => slots.poll(outer, id, ended, awaiting(id));
  for (const id of ["a", "b"]) expect(look(id, false)).toBeUndefined();
  expect(table.lent).toBe(0);
  expect(look("a", false)).toBeUndefined();
  expect(table.lent).toBe(1);
  expect(look("c", true)).toBeUndefined();
  const found = look("a", true)!;
  expect(await settled([found])).toEqual([false]);
  slots.grant(1);
  expect(await settled([found])).toEqual([true]);
  expect(look("a", true)).toBeUndefined();
  expect(table.lent).toBe(0);
});

it("a task that looks no more for 5 s has its slot again, beside those who have theirs", async () => {
  const { slots } = scene();
  const outer = execution();
  const look = () => void slots.poll(outer, "a", false, awaiting("a"));
  look();
  look();
  await vi.advanceTimersByTimeAsync(4999);
  look();
  await vi.advanceTimersByTimeAsync(4999);
  expect(table.lent).toBe(1);
  await vi.advanceTimersByTimeAsync(1);
  expect(table.lent).toBe(0);
  look();
  expect(table.lent).toBe(1);
});

it("a task that waits after it has looked in vain polls no more", async () => {
  const { slots } = scene();
  const outer = execution();
  for (let looks = 0; looks < 3; looks++) void slots.poll(outer, "a", false, awaiting("a"));
  const regained = slots.wait(outer, awaiting("b"))!.regain();
  slots.grant(1);
  expect(await settled([regained])).toEqual([true]);
  expect(table.lent).toBe(0);
});

it("beyond 1,000, a slot is lent once what the task waits for is in front, and one line says so", async () => {
  const { slots, lines, movable } = scene();
  for (let count = 0; count < mostLent; count++) slots.wait(execution(), awaiting("any"));
  expect(lines).toEqual([]);
  movable.add("next");
  slots.wait(execution(), awaiting("next"));
  expect(table.lent).toBe(mostLent);
  await vi.advanceTimersByTimeAsync(1);
  expect(table.lent).toBe(mostLent + 1);
  slots.wait(execution(), awaiting("next"));
  await vi.advanceTimersByTimeAsync(500);
  expect(table.lent).toBe(mostLent + 2);
  expect(lines).toMatchObject([{ level: 40, task: "outer", msg: expect.stringContaining("moved to the front") as string }]);
});

it("beyond 1,000, a slot is kept while what the task waits for cannot be moved, is lent when it can, and a line says so", async () => {
  const { slots, lines, movable } = scene();
  for (let count = 0; count < mostLent; count++) slots.wait(execution(), awaiting("any"));
  slots.wait(execution(), awaiting("step 2", "step 1"));
  await vi.advanceTimersByTimeAsync(5000);
  expect(table.lent).toBe(mostLent);
  expect(lines.map(({ msg }) => msg)).toEqual([
    expect.stringContaining("moved to the front of its queue"),
    expect.stringContaining("cannot be moved to the front"),
  ]);
  movable.add("step 1");
  await vi.advanceTimersByTimeAsync(250);
  expect(table.lent).toBe(mostLent + 1);
});

it("beyond 1,000, a slot is lent to a task that runs here, and to the next that waits when one is regained", async () => {
  const { slots, here } = scene();
  const [first, second] = Array.from({ length: mostLent }, () => slots.wait(execution(), awaiting("any")));
  here.add("middle");
  slots.wait(execution(), awaiting("middle"));
  await vi.advanceTimersByTimeAsync(1);
  expect(table.lent).toBe(mostLent + 1);
  slots.wait(execution(), awaiting("elsewhere"));
  await vi.advanceTimersByTimeAsync(1000);
  expect(table.lent).toBe(mostLent + 1);
  void first!.regain();
  void second!.regain();
  slots.grant(1);
  expect(table.lent).toBe(mostLent);
  // It is lent again at once, to the one that had to keep its slot.
  slots.grant(1);
  expect(table.lent).toBe(mostLent);
});
