import { expect, test } from "vitest";
import { MovableClock } from "../../src/memory/movable-clock.js";

test("a clock that is moved past timers: each fires at its own time, in the order of these times", () => {
  const clock = new MovableClock(1000);
  const rung: (readonly [string, number])[] = [];
  for (const [name, delay] of Object.entries({ late: 300, soon: 100, never: 1000 })) {
    clock.setTimer(() => rung.push([name, clock.now()]), delay);
  }
  clock.advance(500);
  expect(rung).toEqual([
    ["soon", 1100],
    ["late", 1300],
  ]);
  expect(clock.now()).toBe(1500);
});

test("a timer that sets another: that fires too if its time has come", () => {
  const clock = new MovableClock(0);
  const rung: number[] = [];
  clock.setTimer(() => {
    rung.push(clock.now());
    clock.setTimer(() => rung.push(clock.now()), 10);
  }, 10);
  clock.advance(20);
  expect(rung).toEqual([10, 20]);
});

test("a clock that is moved by a text with a unit: it moves by that, and refuses what is no length of time", () => {
  const clock = new MovableClock(0);
  clock.advance("1h");
  expect(clock.now()).toBe(3_600_000);
  expect(() => clock.advance(-1)).toThrow(expect.objectContaining({ code: "INVALID_OPTION" }));
});
