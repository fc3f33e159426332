import { expect, test } from "vitest";
import { TimingWheel } from "../../src/result/timing-wheel.js";

const entry = () => ({ at: Infinity });

test("takes what is due, the earliest first, and together what is due at nearly the same time", () => {
  const agenda = new TimingWheel<{ at: number }>();
  const [a, b, c] = [entry(), entry(), entry()];
  agenda.set(a, 1000);
  agenda.set(b, 500);
  agenda.set(c, 515);
  expect(agenda.next).toBe(500);
  expect(agenda.take(400, 10)).toEqual([]);
  const due = agenda.take(501, 10);
  expect(due).toHaveLength(2);
  expect(due[0]).toBe(b);
  expect(due[1]).toBe(c);
  expect([b.at, agenda.next]).toEqual([Infinity, 1000]);
});

test("is never due before what it is asked for by more than it says", () => {
  const agenda = new TimingWheel<{ at: number }>();
  agenda.set(entry(), 1049);
  expect(agenda.next).toBeGreaterThan(1024);
  expect(agenda.next).toBeLessThanOrEqual(1049);
  expect(agenda.take(999, 10)).toHaveLength(0);
  expect(agenda.take(agenda.next, 10)).toHaveLength(1);
});

test("moves what is set again, and never gives what was removed", () => {
  const agenda = new TimingWheel<{ at: number }>();
  const [a, b] = [entry(), entry()];
  agenda.set(a, 100);
  agenda.set(b, 100);
  agenda.set(a, 900);
  agenda.remove(b);
  agenda.remove(b);
  expect(agenda.take(500, 10)).toEqual([]);
  expect(agenda.take(900, 10)).toHaveLength(1);
  expect(agenda.next).toBe(Infinity);
});

test("takes no more than it is asked for, and the others next", () => {
  const agenda = new TimingWheel<{ at: number }>();
  for (let count = 0; count < 12; count++) agenda.set(entry(), 100);
  expect([agenda.take(100, 5), agenda.take(100, 5), agenda.take(100, 5)].map(({ length }) => length)).toEqual([5, 5, 2]);
});
