import { describe, expect, test, vi } from "vitest";
import { localContext } from "../../src/task/local-context.js";
import { localLog } from "../../src/task/local-log.js";

/** What `write` writes to the console: the method, the text and the fields of each line. */
function linesOf(write: () => void): unknown[] {
  const lines: unknown[] = [];
  const spies = (["warn", "error"] as const).map((method) =>
    vi.spyOn(console, method).mockImplementation((...line: unknown[]) => void lines.push([method, ...line])),
  );
  try {
    write();
    return lines;
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
}

describe("the log of a task that is called directly", () => {
  const bound = { task: "add", id: "1" };
  const log = localLog(bound);

  test("a text with values: the console gets the text and the task", () => {
    expect(linesOf(() => log.warn("%s is %d", "x", 2))).toEqual([["warn", "x is 2", bound]]);
  });

  test("fields, and a text: the console gets both", () => {
    expect(linesOf(() => log.error({ size: 10n }, "%s large", "too"))).toEqual([["error", "too large", { ...bound, size: 10n }]]);
  });

  test("an error: the console gets the error itself, with its stack", () => {
    const err = new TypeError("no");
    expect(linesOf(() => log.fatal(err))).toEqual([["error", "", { ...bound, err }]]);
  });

  test("below warn: nothing is written", () => {
    expect(linesOf(() => [log.trace("x"), log.debug("x"), log.info({ x: 1 }, "x")])).toEqual([]);
  });

  test("child(): its lines have the fields of both", () => {
    expect(linesOf(() => log.child({ part: 2 }).warn("x"))).toEqual([["warn", "x", { ...bound, part: 2 }]]);
  });

  test("this.log: its lines carry the task's name and id", () => {
    const { id, log: own } = localContext("look", []);
    expect(linesOf(() => own.warn("x"))).toEqual([["warn", "x", { task: "look", id }]]);
  });
});
