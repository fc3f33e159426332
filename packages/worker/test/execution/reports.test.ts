import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { reportInterval, Reports } from "../../src/execution/reports.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Reports, and what was stored of them, with the time of each; a store takes `takes` ms. */
function reports(takes = 0) {
  const start = performance.now();
  const stored: (readonly [report: unknown, at: number])[] = [];
  const all = new Reports();
  const add = (report: unknown, state = "PROGRESS") =>
    all.add(state, async () => {
      stored.push([report, performance.now() - start]);
      if (takes > 0) await new Promise((resolve) => setTimeout(resolve, takes));
    });
  return { add, end: () => all.end(), stored };
}

it("stores the first at once, and of those in between the latest", async () => {
  const { add, stored } = reports();
  for (let report = 1; report <= 100_000; report++) await add(report);
  expect(stored).toEqual([[1, 0]]);
  await vi.advanceTimersByTimeAsync(10 * reportInterval);
  expect(stored).toEqual([
    [1, 0],
    [100_000, reportInterval],
  ]);
});

it("stores one each interval", async () => {
  const { add, stored } = reports();
  for (let report = 0; report < 100; report++) {
    await add(report);
    await vi.advanceTimersByTimeAsync(10);
  }
  expect(stored.map(([, at]) => at)).toEqual(Array.from({ length: 11 }, (_, index) => index * reportInterval));
});

it("stores another state at once, and forgets what was to come before", async () => {
  const { add, stored } = reports();
  await add(1);
  await add(2);
  await add(3, "STORING");
  await vi.advanceTimersByTimeAsync(1000);
  expect(stored).toEqual([
    [1, 0],
    [3, 0],
  ]);
});

it("has no two stores of one state under way", async () => {
  const { add, stored } = reports(350);
  void add(1);
  await vi.advanceTimersByTimeAsync(200);
  void add(2);
  await vi.advanceTimersByTimeAsync(1000);
  expect(stored).toEqual([
    [1, 0],
    [2, expect.closeTo(350, -1)],
  ]);
});

it("stores nothing after the end, and leaves no timer", async () => {
  const { add, end, stored } = reports();
  await add(1);
  await add(2);
  await end();
  await add(3, "STORING");
  expect(vi.getTimerCount()).toBe(0);
  expect(stored).toEqual([[1, 0]]);
});

it("ends when what is being stored is", async () => {
  const { add, end } = reports(50);
  void add(1);
  let ended = false;
  void end().then(() => (ended = true));
  await vi.advanceTimersByTimeAsync(40);
  expect(ended).toBe(false);
  await vi.advanceTimersByTimeAsync(20);
  expect(ended).toBe(true);
});
