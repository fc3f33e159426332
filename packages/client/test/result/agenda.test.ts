import { expect, test } from "vitest";
import { Agenda } from "../../src/result/agenda.js";

const entry = () => ({ at: Infinity });

test("entries due: the earliest first, and those due at nearly the same time together", () => {
  const agenda = new Agenda<{ at: number }>();
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

test("next due time: never later than asked, and earlier by less than 25 ms", () => {
  const agenda = new Agenda<{ at: number }>();
  agenda.set(entry(), 1049);
  expect(agenda.next).toBeGreaterThan(1024);
  expect(agenda.next).toBeLessThanOrEqual(1049);
  expect(agenda.take(999, 10)).toHaveLength(0);
  expect(agenda.take(agenda.next, 10)).toHaveLength(1);
});

test("set again: moved; removed: never returned", () => {
  const agenda = new Agenda<{ at: number }>();
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

test("more due than asked for: the rest comes next", () => {
  const agenda = new Agenda<{ at: number }>();
  for (let count = 0; count < 12; count++) agenda.set(entry(), 100);
  expect([agenda.take(100, 5), agenda.take(100, 5), agenda.take(100, 5)].map(({ length }) => length)).toEqual([5, 5, 2]);
});
