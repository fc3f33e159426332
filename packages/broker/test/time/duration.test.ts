import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { maxDuration, toMilliseconds, type Duration } from "../../src/time/duration.js";

describe("toMilliseconds", () => {
  test.each<[Duration, number]>([
    [0, 0],
    [1500, 1500],
    ["500ms", 500],
    ["20s", 20_000],
    ["5m", 300_000],
    ["1h", 3_600_000],
    ["1d", 86_400_000],
    ["1 hour", 3_600_000],
    ["2 days", 172_800_000],
    [".5s", 500],
    ["1.5m", 90_000],
    ["100y", 3_155_760_000_000],
    [3_155_760_000_000, 3_155_760_000_000],
  ])("%j is %d ms", (duration, expected) => {
    expect(toMilliseconds(duration, "expires")).toBe(expected);
  });

  // Redis refuses a time to live that is not a whole number; 1.1 × 3,600,000 is 3,960,000.0000000005.
  test.each<[Duration, number]>([
    ["1.1h", 3_960_000],
    ["2.3d", 198_720_000],
    ["1.001s", 1001],
    [0.4, 0],
    [99.5, 100],
  ])("%j is %d ms, whole", (duration, expected) => {
    expect(toMilliseconds(duration, "expires")).toBe(expected);
  });

  test("any number of milliseconds is itself, rounded", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: maxDuration, noNaN: true }), (duration) => {
        expect(toMilliseconds(duration, "timeLimit")).toBe(Math.round(duration));
      }),
    );
  });

  test.each([
    ["", '""'],
    ["soon", '"soon"'],
    ["-1s", '"-1s"'],
    ["1m30s", '"1m30s"'],
    ["1e3", '"1e3"'],
    ["9".repeat(101), `"${"9".repeat(80)}"`],
    [-1, "-1"],
    [Number.NaN, "NaN"],
    [Number.POSITIVE_INFINITY, "Infinity"],
    [3_155_760_000_001, "3155760000001"],
    ["101y", '"101y"'],
    [1e16, "10000000000000000"],
    [1e22, "1e+22"],
    [undefined, "undefined"],
    [null, "null"],
    [10n, "a bigint"],
    [new Date(0), "an object"],
    [Object.create(null), "an object"],
  ])("%o is refused, and the option named", (duration, got) => {
    const expected = typeof duration === "string" ? "a duration with its unit," : "milliseconds, or a string";
    expect(() => toMilliseconds(duration as Duration, "lease")).toThrow(
      expect.objectContaining({
        code: "INVALID_OPTION",
        message: `lease is ${got}; expected ${expected} such as "20s" or "5m", up to 100 years`,
      }),
    );
  });

  // Seconds to those who know Celery, milliseconds to those who know Node.
  test.each(["10", "1.5", "0.0", "100000000000"])("%j has no unit, and is refused with both readings", (duration) => {
    expect(() => toMilliseconds(duration as Duration, "--lease")).toThrow(
      expect.objectContaining({
        code: "INVALID_OPTION",
        message: `--lease is "${duration}"; expected a duration with its unit: write "${duration}s" for seconds or "${duration}ms" for milliseconds`,
      }),
    );
  });
});
