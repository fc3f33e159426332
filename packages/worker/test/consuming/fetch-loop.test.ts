import type { Consumer, Delivery } from "@bullrush/broker";
import { ThrottledLog } from "@bullrush/program";
import { pino } from "pino";
import { describe, expect, test } from "vitest";
import { FetchLoop } from "../../src/consuming/fetch-loop.js";
import type { Executor } from "../../src/execution/executor.js";

const log = pino({ level: "silent" });
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

interface Stage {
  readonly loop: FetchLoop;
  /** How often it has taken. */
  readonly takes: () => number;
  /** The delays of the timers that are set, and what fires them. */
  readonly timers: readonly { readonly delay: number; readonly ring: () => void }[];
}

/** A loop whose clock goes on by 1 ms whenever it is read, with a wait that ends never or, with `rings`, at `due`. */
function stage({ due, rings }: { readonly due: number; readonly rings: boolean }): Stage {
  let now = 0;
  let takes = 0;
  const timers: { delay: number; ring: () => void }[] = [];
  const clock = { now: () => now++ };
  const consumer = {
    storesInSettlement: true,
    hasWork: () => clock.now() >= due,
    nextLookAt: () => due,
    wait: async () => {
      if (!rings) return new Promise(() => undefined);
      now = Math.max(now, due);
      return turn();
    },
    releaseWakeups: async () => undefined,
    stopListening: () => undefined,
    settleAndTake: async ({ take }: { readonly take: number }) => {
      if (take > 0) takes++;
      return { deliveries: [] as Delivery[], settled: [] };
    },
  } as unknown as Consumer;
  const executor = { isRisky: () => false } as unknown as Executor;
  const timing = {
    setTimer: (ring: () => void, delay: number) => {
      timers.push({ delay, ring });
      return setTimeout(() => undefined, 0);
    },
  };
  const trouble = new ThrottledLog(log, clock);
  const loop = new FetchLoop({
    consumer,
    executor,
    vouched: async (deliveries) => deliveries,
    guard: { hold: () => {}, release: () => {} },
    concurrency: 1,
    clock,
    log,
    trouble,
    timing,
  });
  return { loop, takes: () => takes, timers };
}

async function afterTurns(holds: () => boolean): Promise<boolean> {
  for (let turns = 0; turns < 50 && !holds(); turns++) await turn();
  return holds();
}

describe("a worker with nothing to do", () => {
  test.each(Array.from({ length: 8 }, (_, due) => due))("takes what is due from the reading %i of its clock on", async (due) => {
    const { loop, takes, timers } = stage({ due, rings: true });
    loop.start();
    const took = await afterTurns(() => {
      for (const { ring } of timers) ring();
      return takes() > 0;
    });
    expect(took).toBe(true);
    await loop.stop(AbortSignal.abort(), AbortSignal.abort());
  });

  test("looks when it is time to, though the wait that is under way does not end", async () => {
    const { loop, takes, timers } = stage({ due: 100, rings: false });
    loop.start();
    expect(await afterTurns(() => timers.length > 0)).toBe(true);
    expect(timers[0]!.delay).toBeLessThanOrEqual(100);
    expect(loop.state()).toMatchObject({ listening: true, takes: 0 });
    const took = await afterTurns(() => {
      timers.at(-1)!.ring();
      return takes() > 0;
    });
    expect(took).toBe(true);
    await Promise.race([loop.stop(AbortSignal.abort(), AbortSignal.abort()), turn()]);
  });
});
