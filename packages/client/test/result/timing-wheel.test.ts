import { expect, test } from "vitest";
import { TimingWheel } from "../../src/result/timing-wheel.js";

const entry = () => ({ at: Infinity });

test("take: entries that are due, the earliest first, and those of one slot together", () => {
  const wheel = new TimingWheel<{ at: number }>();
  const [a, b, c] = [entry(), entry(), entry()];
  wheel.set(a, 1000);
  wheel.set(b, 500);
  wheel.set(c, 515);
  expect(wheel.next).toBe(500);
  expect(wheel.take(400, 10)).toEqual([]);
  const due = wheel.take(501, 10);
  expect(due).toHaveLength(2);
  expect(due[0]).toBe(b);
  expect(due[1]).toBe(c);
  expect([b.at, wheel.next]).toEqual([Infinity, 1000]);
});

test("an entry is due at most one slot too early", () => {
  const wheel = new TimingWheel<{ at: number }>();
  wheel.set(entry(), 1049);
  expect(wheel.next).toBeGreaterThan(1024);
  expect(wheel.next).toBeLessThanOrEqual(1049);
  expect(wheel.take(999, 10)).toHaveLength(0);
  expect(wheel.take(wheel.next, 10)).toHaveLength(1);
});

test("set again: moved; removed: never taken", () => {
  const wheel = new TimingWheel<{ at: number }>();
  const [a, b] = [entry(), entry()];
  wheel.set(a, 100);
  wheel.set(b, 100);
  wheel.set(a, 900);
  wheel.remove(b);
  wheel.remove(b);
  expect(wheel.take(500, 10)).toEqual([]);
  expect(wheel.take(900, 10)).toHaveLength(1);
  expect(wheel.next).toBe(Infinity);
});

test("take with a limit: the others come next", () => {
  const wheel = new TimingWheel<{ at: number }>();
  for (let count = 0; count < 12; count++) wheel.set(entry(), 100);
  expect([wheel.take(100, 5), wheel.take(100, 5), wheel.take(100, 5)].map(({ length }) => length)).toEqual([5, 5, 2]);
});
