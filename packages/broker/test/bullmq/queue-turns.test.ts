import { describe, expect, test } from "vitest";
import { QueueAvailability } from "../../src/bullmq/queue-availability.js";
import { QueueTurns } from "../../src/bullmq/queue-turns.js";

const now = 1000;
const queues = [{ name: "a" }, { name: "b" }, { name: "c" }];

/** Turns of the queues a, b and c, numbered 1, 2 and 3, of which `empty` gave nothing a moment ago. */
function turnsOf(order: "strict" | "round-robin", empty: readonly number[] = [], resting: readonly number[] = []) {
  const availability = new QueueAvailability(queues.length);
  availability.answered(availability.look([0, 1, 2]), now, {
    gave: [],
    dry: empty.map((number) => ({ queue: number - 1 })),
    broken: false,
  });
  for (const number of resting) availability.backOff(number - 1, now + 1);
  return new QueueTurns({ queues, order }, availability);
}

describe("round-robin turns", () => {
  test("each call begins where the last one ended", () => {
    const turns = turnsOf("round-robin");
    expect([turns.next(1, now), turns.next(1, now), turns.next(2, now), turns.next(1, now)]).toEqual([
      [1, 2, 3],
      [2, 3, 1],
      [3, 1, 2],
      [2, 3, 1],
    ]);
  });

  test("queues that were empty come first, asked only by their markers", () => {
    expect(turnsOf("round-robin", [2]).next(1, now)).toEqual([-2, 1, 3]);
  });

  test("a call that takes nothing asks nothing, and costs no turn", () => {
    const turns = turnsOf("round-robin");
    expect([turns.next(0, now), turns.next(1, now)]).toEqual([[], [1, 2, 3]]);
  });
});

describe("strict turns", () => {
  test("always in the same order, empty queues by their markers", () => {
    const turns = turnsOf("strict", [1]);
    expect([turns.next(1, now), turns.next(1, now)]).toEqual([
      [-1, 2, 3],
      [-1, 2, 3],
    ]);
  });
});

test.each(["strict", "round-robin"] as const)("%s: a queue that rests is not asked", (order) => {
  expect(turnsOf(order, [], [2]).next(1, now)).toEqual([1, 3]);
});
