import { BullrushError, systemClock, type Delivery, type RefusalCode, type SettledAndTaken, type Settlement } from "@bullrush/broker";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
import { DeliveryTable } from "../../src/consuming/delivery-table.js";
import { SettlementQueue } from "../../src/consuming/settlement-queue.js";

/** What is to be settled, by its id. */
function settlementOf(id: string): Settlement {
  const delivery = { id, queue: "open", token: id, content: { type: "undecodable" } } as unknown as Delivery;
  return { delivery, outcome: { type: "succeeded" } };
}

type Reply = SettledAndTaken | BullrushError;

/** A settlement queue that is emptied as the loop of a worker does, on a broker that answers `exchange`; and what it says. */
function stage(exchange: (settle: readonly Settlement[]) => Reply) {
  const refused: string[] = [];
  const calls: (readonly string[])[] = [];
  const settled: string[] = [];
  const givenUp: (readonly [string, string | undefined])[] = [];
  const table = new DeliveryTable({ hold: () => undefined, release: () => undefined });
  const settlements = new SettlementQueue({
    consumer: { storesInSettlement: true, store: async () => undefined },
    most: 10,
    clock: systemClock,
    onReady: () => setImmediate(pump),
    onTrouble: () => undefined,
    onRefused: ({ settlement: { delivery }, refusals }, refusal) => refused.push(`${delivery.id} ${refusal?.code} ${refusals}`),
    giveUp: (tracked) => {
      const { id } = tracked.settlement.delivery;
      const instead = tracked.isGivenUp ? undefined : settlementOf(`dead ${id}`);
      givenUp.push([id, instead?.delivery.id]);
      if (instead === undefined) tracked.to("lost");
      else tracked.endInstead(instead);
      return instead !== undefined;
    },
  });
  onTestFinished(() => settlements.close());

  function add(id: string): void {
    const settlement = settlementOf(id);
    for (const tracked of table.take([settlement.delivery])) {
      tracked.end(settlement);
      settlements.add(tracked);
    }
  }

  function pump(): void {
    for (let settle = settlements.next(); settle.length > 0; settle = settlements.next()) {
      const sent = settle.map(({ settlement }) => settlement);
      calls.push(sent.map(({ delivery }) => delivery.id));
      const reply = exchange(sent);
      if (reply instanceof BullrushError) settlements.failed(settle, reply);
      else {
        settle.forEach((tracked, index) => {
          if (reply.settled[index] === "again") return settlements.refused(tracked, reply.refusals?.[index]);
          tracked.to("settled");
          settled.push(tracked.settlement.delivery.id);
        });
      }
    }
  }

  return { add, table, refused, calls, settled, givenUp };
}

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] }));
afterEach(() => void vi.useRealTimers());

/** Lets time pass until `holds` is true. */
async function pass(holds: () => boolean): Promise<void> {
  while (!holds()) await vi.advanceTimersByTimeAsync(50);
}

const unavailable = (refusal: RefusalCode) =>
  new BullrushError("BROKER_UNAVAILABLE", { url: "redis://x", action: "not settled", deadline: 5000, reason: "in words", refusal });

test("a settlement with which every call is refused holds up no others, and ends as a dead letter", async () => {
  const { add, table, refused, settled } = stage((settle) =>
    settle.some(({ delivery }) => delivery.id === "bad") ? unavailable("other") : { deliveries: [], settled: settle.map(() => "settled") },
  );
  for (const id of ["a", "bad", "b", "c"]) add(id);
  await pass(() => settled.length === 3);
  expect(settled).toEqual(["a", "b", "c"]);
  await pass(() => settled.includes("dead bad"));
  expect(refused).toEqual([1, 2, 3, 4, 5].map((times) => `bad other ${times}`));
  expect(table.size).toBe(0);
});

test("one that is refused whatever settles it is left to its lease", async () => {
  const { add, table, givenUp, calls } = stage((settle) => ({
    deliveries: [],
    settled: settle.map(() => "again"),
    refusals: settle.map(() => ({ code: "wrong-type", reason: "in words" })),
  }));
  add("bad");
  await pass(() => table.size === 0);
  expect(givenUp).toEqual([
    ["bad", "dead bad"],
    ["dead bad", undefined],
  ]);
  expect(calls).toHaveLength(10);
});

test.each(["out-of-memory", "command-denied", "key-denied", "read-only", undefined] as const)(
  "what is refused for reasons that lie elsewhere is tried until it is settled: %s",
  async (code) => {
    let refusals = 6;
    const { add, settled, givenUp } = stage((settle) =>
      refusals-- > 0
        ? { deliveries: [], settled: settle.map(() => "again"), refusals: settle.map(() => code && { code, reason: "in words" }) }
        : { deliveries: [], settled: settle.map(() => "settled") },
    );
    add("a");
    await pass(() => settled.length === 1);
    expect([settled, givenUp.length]).toEqual([["a"], 0]);
  },
);
