import { newId, type Delivery } from "@bullrush/broker";
import { pino } from "pino";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { PoolName } from "../../src/pool/options.js";
import { lagMonitor } from "../../src/service/lag-monitor.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const lease = 16_000;

function deliveryOf(task: string): Delivery {
  const id = newId();
  const message = { id, task, args: ["secret"], headers: {}, priority: 0, retries: 0, rootId: id };
  return { queue: "default", id, number: 1, endedBefore: 0, crashes: 0, token: "t", content: { type: "message", message } };
}

/** What is logged while `tasks` run, and the event loop stands still for `ms` between two looks. */
async function linesOf(pool: PoolName, ms: number, ...tasks: readonly string[]): Promise<readonly object[]> {
  const lines: object[] = [];
  const log = pino({ base: null, timestamp: false }, { write: (line: string) => lines.push(JSON.parse(line) as object) });
  const held = tasks.map(deliveryOf);
  let now = 0;
  const monitor = lagMonitor({ lease, pool, held: () => held, now: () => now, log });
  const tick = async (late = 0) => {
    now += lease / 16 + late;
    await vi.advanceTimersByTimeAsync(lease / 16);
  };
  monitor.start();
  await tick();
  await tick(ms);
  await tick();
  monitor.stop();
  await tick(ms);
  return lines;
}

test("says, once, which tasks may have kept the event loop for more than a quarter of a lease", async () => {
  expect(await linesOf("inline", 4001, "sum", "sum", "mail")).toEqual([
    {
      level: 40,
      ms: 4001,
      lease,
      tasks: ["sum", "mail"],
      msg: expect.stringMatching(/^the event loop stood still: one of these tasks computes for too long/) as string,
    },
  ]);
});

test("says nothing of less than that", async () => {
  expect(await linesOf("inline", 4000, "sum")).toEqual([]);
});

test.each(["threads", "processes"] as const)("does not blame a task that runs in %s", async (pool) => {
  expect(await linesOf(pool, 4001, "sum")).toMatchObject([{ msg: expect.not.stringContaining("computes") as string }]);
});

test("counts all time, also what passes while it looks", async () => {
  const lines: string[] = [];
  const log = pino({ base: null, timestamp: false }, { write: (line: string) => void lines.push(line) });
  let now = 0;
  let pause = 0;
  // The process is stopped right after the clock was read.
  const read = () => {
    const before = now;
    now += pause;
    pause = 0;
    return before;
  };
  const monitor = lagMonitor({ lease, pool: "inline", held: () => [], now: read, log });
  monitor.start();
  for (const stopped of [5000, 0]) {
    now += lease / 16;
    pause = stopped;
    await vi.advanceTimersByTimeAsync(lease / 16);
  }
  monitor.stop();
  expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([{ ms: 5000 }]);
});
