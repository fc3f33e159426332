import { describe, expect, test, vi } from "vitest";
import { localContext } from "../../src/task/local-context.js";
import { localLog } from "../../src/task/local-log.js";

/** The lines that `write` writes to stdout. */
function linesOf(write: () => void): unknown[] {
  const spy = vi.spyOn(process.stdout, "write").mockReturnValue(true);
  try {
    write();
    return spy.mock.calls.map(([line]) => JSON.parse(String(line)) as unknown);
  } finally {
    spy.mockRestore();
  }
}

describe("the log of a task that is called directly", () => {
  const log = localLog({ task: "add", id: "1" });

  test("a text with values: one line in pino's form", () => {
    expect(linesOf(() => log.warn("%s is %d", "x", 2))).toEqual([
      { level: 40, time: expect.any(Number), pid: process.pid, hostname: expect.any(String), task: "add", id: "1", msg: "x is 2" },
    ]);
  });

  test("fields, and a text: both are on the line", () => {
    expect(linesOf(() => log.error({ size: 10n }, "too large"))).toMatchObject([{ level: 50, size: "10", msg: "too large" }]);
  });

  test("an error: its name, message and stack are on the line", () => {
    const error = new TypeError("no");
    expect(linesOf(() => log.fatal(error))).toMatchObject([
      { level: 60, err: { type: "TypeError", message: "no", stack: error.stack }, msg: "no" },
    ]);
  });

  test("fields that refer to themselves: the line shows them as Node does", () => {
    const circle: Record<string, unknown> = {};
    circle["self"] = circle;
    expect(linesOf(() => log.warn(circle, "round"))).toMatchObject([{ fields: expect.stringContaining("[Circular *1]"), msg: "round" }]);
  });

  test("below warn: nothing is written", () => {
    expect(linesOf(() => [log.trace("x"), log.debug("x"), log.info({ x: 1 }, "x")])).toEqual([]);
  });

  test("child(): its lines have the fields of both", () => {
    expect(linesOf(() => log.child({ part: 2 }).warn("x"))).toMatchObject([{ task: "add", id: "1", part: 2, msg: "x" }]);
  });

  test("this.log: its lines carry the task's name and id", () => {
    const { id, log } = localContext("look", []);
    expect(linesOf(() => log.warn("x"))).toMatchObject([{ task: "look", id, msg: "x" }]);
  });
});
