import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Logger } from "pino";
import { expect, test } from "vitest";
import { createLogger } from "../src/logger.js";
import { prettyLines } from "../src/pretty-line.js";

const forged = "[12:00:00.000] INFO: succeeded";
const hostile = `\u001b[2J\u202e\u009b31m\n${forged}`;

/** What is written, line by line, when `write` is done with a logger. */
async function linesOf(format: "json" | "pretty", write: (log: Logger) => void): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), "bullrush-logger-"));
  const file = openSync(join(folder, "log"), "w");
  try {
    write(await createLogger("info", format, file));
    return readFileSync(join(folder, "log"), "utf8").trimEnd().split("\n");
  } finally {
    closeSync(file);
    rmSync(folder, { recursive: true });
  }
}

const writeHostile = (log: Logger) => log.error({ task: hostile, name: hostile, stack: `Error: ${hostile}\n    at a.js:1` }, hostile);

test("a line for people has no control characters, and nothing in it begins like a line", async () => {
  const lines = await linesOf("pretty", writeHostile);
  expect(lines.join("")).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
  expect(lines.filter((line) => line.startsWith("["))).toEqual([expect.stringMatching(/ERROR: \\u001b\[2J/)]);
  expect(lines.join("\n")).toMatch(/^ +at a\.js:1$/m);
});

test("a line of JSON has them escaped, and is the same JSON", async () => {
  const [line = "", ...others] = await linesOf("json", writeHostile);
  expect(others).toEqual([]);
  expect(line).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
  expect(JSON.parse(line)).toMatchObject({ level: 50, task: hostile, msg: hostile });
});

test.each(["json", "pretty"] as const)("a text of megabytes is cut: %s", async (format) => {
  const lines = await linesOf(format, (log) =>
    log.warn({ id: "i".repeat(10_000_000), known: Array(100_000).fill("task") }, "m".repeat(10_000_000)),
  );
  expect(lines).toHaveLength(1);
  expect(lines[0]?.length).toBeLessThan(50_000);
});

test("a line for people says when, how bad, what, and about what", () => {
  const time = new Date(2026, 1, 3, 4, 5, 6, 78).toISOString();
  const json = JSON.stringify({ level: 40, time, task: "a", n: 1, msg: "retried" });
  expect(prettyLines(false)(json)).toBe('[04:05:06.078] WARN: retried {"task":"a","n":1}\n');
  expect(prettyLines(true)(json)).toContain("\u001b[36mretried");
});
