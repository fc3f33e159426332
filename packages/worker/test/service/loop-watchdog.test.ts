import type { Consumer, Delivery } from "@bullrush/broker";
import { ThrottledLog } from "@bullrush/program";
import { pino } from "pino";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FetchLoop } from "../../src/consuming/fetch-loop.js";
import type { Executor } from "../../src/execution/executor.js";
import { checkInterval, loopWatchdog } from "../../src/service/loop-watchdog.js";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setInterval", "clearInterval"] }));
afterEach(() => void vi.useRealTimers());

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A loop over a consumer that goes quiet: it waits, and the wait never ends, though there is something to take from `due` on. */
function stage(due: number) {
  let now = 0;
  const takes: number[] = [];
  const lines: object[] = [];
  let doubts = 0;
  const log = pino({ base: null, timestamp: false }, { write: (line: string) => lines.push(JSON.parse(line) as object) });
  const clock = { now: () => now };
  const consumer = {
    storesInSettlement: true,
    hasWork: () => now >= due,
    nextLookAt: () => due,
    assumeWork: () => doubts++,
    wait: () => new Promise(() => undefined),
    releaseWakeups: async () => undefined,
    stopListening: () => undefined,
    settleAndTake: async ({ take }: { readonly take: number }) => {
      takes.push(take);
      due = Infinity;
      return { deliveries: [] as Delivery[], settled: [] };
    },
  } as unknown as Consumer;
  const executor = { isRisky: () => false } as unknown as Executor;
  // Its timers are lost.
  const timing = { setTimer: () => setTimeout(() => undefined, 0) };
  const trouble = new ThrottledLog(log, clock);
  const loop = new FetchLoop({
    consumer,
    executor,
    vouched: async (deliveries) => deliveries,
    guard: { hold: () => {}, release: () => {} },
    concurrency: 2,
    clock,
    log,
    trouble,
    timing,
  });
  const watchdog = loopWatchdog({ loop, queues: ["feeds"], log });
  loop.start();
  watchdog.start();
  return {
    takes,
    lines,
    doubts: () => doubts,
    dueAgain: () => void (due = now),
    check: async () => {
      now += checkInterval;
      vi.advanceTimersByTime(checkInterval);
      await turn();
    },
    stop: () => watchdog.stop(),
  };
}

test("a loop that stands still with work due: it looks again at the second check, and says so once", async () => {
  const { takes, lines, doubts, dueAgain, check, stop } = stage(1);
  await check();
  expect([takes, lines]).toEqual([[], []]);
  await check();
  expect([takes, doubts()]).toEqual([[1], 1]);
  expect(lines).toEqual([
    {
      level: 50,
      taking: true,
      free: 2,
      room: 2,
      running: 0,
      waiting: 0,
      unsettled: 0,
      calls: 0,
      takes: 0,
      listening: true,
      scheduled: false,
      pause: 0,
      nextLook: 1 - 2 * checkInterval,
      pumps: 1,
      queues: ["feeds"],
      msg: expect.stringContaining("please report this line") as string,
    },
  ]);
  dueAgain();
  for (let checks = 0; checks < 3; checks++) await check();
  expect([takes.length, lines.length]).toEqual([2, 1]);
  stop();
});

test("a loop that waits for what is due later is left alone", async () => {
  const { takes, lines, check, stop } = stage(10 * checkInterval);
  for (let checks = 0; checks < 4; checks++) await check();
  expect([takes, lines]).toEqual([[], []]);
  stop();
});
