import { BullrushError, systemClock, type Delivery, type SettledAndTaken, type Settlement } from "@bullrush/broker";
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from "vitest";
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
  const givenUp = new Map<Settlement, Settlement | undefined>();
  const settlements = new SettlementQueue({
    consumer: { storesInSettlement: true, store: async () => undefined },
    most: 10,
    clock: systemClock,
    onReady: () => setImmediate(pump),
    onTrouble: () => undefined,
    onRefused: ({ delivery }, reason, times) => refused.push(`${delivery.id} ${reason} ${times}`),
    giveUp: (settlement) => {
      const instead = settlement.delivery.id.startsWith("dead") ? undefined : settlementOf(`dead ${settlement.delivery.id}`);
      givenUp.set(settlement, instead);
      return instead;
    },
  });
  onTestFinished(() => settlements.close());

  function pump(): void {
    for (let settle = settlements.next(); settle.length > 0; settle = settlements.next()) {
      calls.push(settle.map(({ delivery }) => delivery.id));
      const reply = exchange(settle);
      if (reply instanceof BullrushError) settlements.failed(settle, reply);
      else {
        settlements.settled(settle.filter((_, index) => reply.settled[index] !== "again"));
        settle.forEach((settlement, index) => {
          if (reply.settled[index] === "again") settlements.refused(settlement, reply.refusals?.[index]);
          else settled.push(settlement.delivery.id);
        });
      }
    }
  }

  return { settlements, refused, calls, settled, givenUp };
}

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] }));
afterEach(() => void vi.useRealTimers());

/** Lets time pass until `holds` is true. */
async function pass(holds: () => boolean): Promise<void> {
  while (!holds()) await vi.advanceTimersByTimeAsync(50);
}

const unavailable = (reason: string) =>
  new BullrushError("BROKER_UNAVAILABLE", { url: "redis://x", action: "not settled", deadline: 5000, reason, refused: true });

test("a settlement with which every call is refused holds up no others, and ends as a dead letter", async () => {
  const { settlements, refused, settled } = stage((settle) =>
    settle.some(({ delivery }) => delivery.id === "bad")
      ? unavailable("ERR wrong")
      : { deliveries: [], settled: settle.map(() => "settled") },
  );
  for (const id of ["a", "bad", "b", "c"]) settlements.add(settlementOf(id));
  await pass(() => settled.length === 3);
  expect(settled).toEqual(["a", "b", "c"]);
  await pass(() => settled.includes("dead bad"));
  expect(refused).toEqual([1, 2, 3, 4, 5].map((times) => `bad ERR wrong ${times}`));
  expect(settlements.size).toBe(0);
});

test("one that is refused whatever settles it is left to its lease", async () => {
  const { settlements, givenUp, calls } = stage((settle) => ({
    deliveries: [],
    settled: settle.map(() => "again"),
    refusals: settle.map(() => "WRONGTYPE of a key"),
  }));
  settlements.add(settlementOf("bad"));
  await pass(() => settlements.size === 0);
  expect([...givenUp].map(([{ delivery }, instead]) => [delivery.id, instead?.delivery.id])).toEqual([
    ["bad", "dead bad"],
    ["dead bad", undefined],
  ]);
  expect(calls).toHaveLength(10);
});

test.each([
  "OOM command not allowed when used memory > 'maxmemory'",
  "ERR The user executing the script can't run this command or subcommand script",
  "NOPERM No permissions to access a key",
  "READONLY You can't write against a read only replica.",
  undefined,
])("what is refused for reasons that lie elsewhere is tried until it is settled: %s", async (reason) => {
  let refusals = 6;
  const { settlements, settled, givenUp } = stage((settle) =>
    refusals-- > 0
      ? { deliveries: [], settled: settle.map(() => "again"), refusals: settle.map(() => reason) }
      : { deliveries: [], settled: settle.map(() => "settled") },
  );
  settlements.add(settlementOf("a"));
  await pass(() => settled.length === 1);
  expect([settled, givenUp.size]).toEqual([["a"], 0]);
});
