import { newId, type Delivery } from "@bullrush/broker";
import { pino } from "pino";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { PoolName } from "../../src/pool/options.js";
import { heldSlots, type SlotUse } from "../../src/service/held-slots.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function deliveryOf(task: string): Delivery {
  const id = newId();
  const message = { id, task, args: ["secret"], headers: {}, priority: 0, retries: 0, rootId: id };
  return { queue: "default", id, number: 1, endedBefore: 0, crashes: 0, token: "t", content: { type: "message", message } };
}

/** A worker whose slots are held since 0 by tasks that began at these times, and what it logs. */
function scene(startedAt: readonly number[], pool: PoolName = "inline") {
  const lines: Readonly<Record<string, unknown>>[] = [];
  const log = pino({ base: null }, { write: (line: string) => lines.push(JSON.parse(line) as Record<string, unknown>) });
  const worker = {
    lines,
    asked: 0,
    waiting: [3, 4],
    use: { isFull: true, since: 0, holders: startedAt.map((at) => ({ delivery: deliveryOf("hang"), startedAt: at })) } as SlotUse,
  };
  const counts = () => {
    worker.asked++;
    return Promise.resolve(worker.waiting.map((waiting) => ({ waiting })));
  };
  vi.setSystemTime(0);
  const service = heldSlots({ slots: () => worker.use, counts, pool, clock: { now: () => Date.now() }, log });
  service.start();
  return { worker, service };
}

const seconds = (count: number) => vi.advanceTimersByTimeAsync(count * 1000);

test("names the tasks that have held all slots for 30 s while messages wait, the oldest first", async () => {
  const { worker, service } = scene([-5000, -9000]);
  await seconds(29);
  expect(worker.lines).toEqual([]);
  await seconds(1);
  service.stop();
  const [younger, older] = worker.use.holders.map(({ delivery }) => delivery.id);
  expect(worker.lines).toMatchObject([
    {
      level: 40,
      slots: 2,
      ms: 30_000,
      waiting: 7,
      tasks: [
        { task: "hang", id: older, ms: 39_000 },
        { task: "hang", id: younger, ms: 35_000 },
      ],
      msg: expect.stringMatching(/promise that never settles.*--time-limit.*processes/) as string,
    },
  ]);
  expect(JSON.stringify(worker.lines)).not.toContain("secret");
});

test("names ten of many", async () => {
  const { worker, service } = scene(Array.from({ length: 50 }, (_, index) => -index));
  await seconds(30);
  service.stop();
  expect(worker.lines).toMatchObject([{ slots: 50, tasks: { length: 10 } }]);
});

test("repeats it after twice the pause each time, and every 10 minutes in the end", async () => {
  const { worker, service } = scene([0]);
  await seconds(3600);
  service.stop();
  expect(worker.lines.map(({ ms }) => Number(ms) / 1000)).toEqual([30, 60, 120, 240, 480, 960, 1560, 2160, 2760, 3360]);
});

test("begins anew when a slot was freed in between", async () => {
  const { worker, service } = scene([0]);
  await seconds(130);
  worker.use = { ...worker.use, since: 125_000 };
  await seconds(60);
  service.stop();
  expect(worker.lines.map(({ ms }) => Number(ms) / 1000)).toEqual([30, 60, 120, 30, 60]);
});

test("says nothing while a slot is free, and does not ask the broker", async () => {
  const { worker, service } = scene([0]);
  worker.use = { ...worker.use, isFull: false };
  await seconds(300);
  service.stop();
  expect([worker.lines, worker.asked]).toEqual([[], 0]);
});

test("says nothing while no message waits, and says it when one does", async () => {
  const { worker, service } = scene([0]);
  worker.waiting = [0, 0];
  await seconds(300);
  expect(worker.lines).toEqual([]);
  worker.waiting = [0, 1];
  await seconds(5);
  service.stop();
  expect(worker.lines).toMatchObject([{ ms: 305_000, waiting: 1 }]);
});

test.each(["threads", "processes"] as const)("does not advise another pool than %s", async (pool) => {
  const { worker, service } = scene([0], pool);
  await seconds(30);
  service.stop();
  expect(worker.lines).toMatchObject([{ msg: expect.not.stringContaining("-P") as string }]);
});
