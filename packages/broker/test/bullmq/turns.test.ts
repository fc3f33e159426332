import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { from, oneRound } from "../../src/bullmq/turns.js";

describe("one round of turns", () => {
  test.each<[(number | undefined)[], number[]]>([
    [[], []],
    [[undefined], [0]],
    [
      [undefined, 1],
      [0, 1],
    ],
    [
      [3, 1],
      [0, 0, 1, 0],
    ],
    [
      [1, 3],
      [1, 0, 1, 1],
    ],
    [
      [5, 1, 1],
      [0, 0, 1, 0, 2, 0, 0],
    ],
  ])("by weights %j is %j", (weights, expected) => {
    expect(oneRound(weights.map((weight) => (weight === undefined ? {} : { weight })))).toEqual(expected);
  });

  test("has each as often as its weight says, never long without one", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 6 }), (weights) => {
        const round = oneRound(weights.map((weight) => ({ weight })));
        const total = weights.reduce((sum, weight) => sum + weight, 0);
        expect(round).toHaveLength(total);
        weights.forEach((weight, index) => {
          const turns = round.flatMap((name, at) => (name === index ? [at] : []));
          expect(turns).toHaveLength(weight);
          const gaps = turns.map((at, n) => (turns[n + 1] ?? turns[0]! + total) - at);
          expect(Math.max(...gaps)).toBeLessThanOrEqual(2 * Math.ceil(total / weight));
        });
      }),
    );
  });
});

test("a round can begin anywhere in its repetition", () => {
  expect([0, 1, 2, 3, 4, 7].map((start) => from(["a", "b", "c"], start).join(""))).toEqual(["abc", "bca", "cab", "abc", "bca", "bca"]);
  expect(from([], 5)).toEqual([]);
});
