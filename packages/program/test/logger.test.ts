import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Logger } from "pino";
import { expect, test } from "vitest";
import { hasColours } from "../src/colours.js";
import { createLogger } from "../src/logger.js";
import { prettyLines } from "../src/pretty-line.js";

const forged = "12:00:00 worker  succeeded  add[1] in 1 ms";
const plain = { colours: false, host: "host", columns: () => undefined };
const hostile = `\u001b[2J\u202e\u009b31m\n${forged}`;

/** What is written, line by line, when `write` is done with a logger. */
async function linesOf(format: "json" | "pretty", write: (log: Logger) => void): Promise<readonly string[]> {
  const folder = mkdtempSync(join(tmpdir(), "bullrush-logger-"));
  const file = openSync(join(folder, "log"), "w");
  try {
    write(await createLogger("info", format, { descriptor: file }));
    return readFileSync(join(folder, "log"), "utf8").trimEnd().split("\n");
  } finally {
    closeSync(file);
    rmSync(folder, { recursive: true });
  }
}

const writeHostile = (log: Logger) => log.error({ task: hostile, name: hostile, stack: `Error: ${hostile}\n    at a.js:1` }, hostile);

test("control characters in a pretty line: escaped, and no text begins like a line", async () => {
  const lines = await linesOf("pretty", writeHostile);
  expect(lines.join("")).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
  expect(lines.filter((line) => /^\d\d:/.test(line))).toEqual([expect.stringMatching(/ {2}error {2}\\u001b\[2J/)]);
  expect(lines.join("\n")).toMatch(/^ +at a\.js:1$/m);
});

test("control characters in a JSON line: escaped, and the JSON is the same", async () => {
  const [line = "", ...others] = await linesOf("json", writeHostile);
  expect(others).toEqual([]);
  expect(line).not.toMatch(/[\p{Cc}\p{Bidi_Control}]/u);
  expect(JSON.parse(line)).toMatchObject({ level: 50, task: hostile, msg: hostile });
});

test.each(["json", "pretty"] as const)("text of megabytes: cut, with %s", async (format) => {
  const lines = await linesOf(format, (log) =>
    log.warn({ id: "i".repeat(10_000_000), known: Array(100_000).fill("task") }, "m".repeat(10_000_000)),
  );
  expect(lines).toHaveLength(1);
  expect(lines[0]?.length).toBeLessThan(50_000);
});

const time = new Date(2026, 1, 3, 4, 5, 6, 78).toISOString();

test.each([
  [
    { level: 30, task: "tasks.add", id: "9904f3ad-…", queue: "default", attempt: 1, msg: "received" },
    "received   tasks.add[9904f3ad] from default",
  ],
  [
    { level: 30, task: "tasks.add", id: "9904f3ad-…", queue: "a", attempt: 3, msg: "received" },
    "received   tasks.add[9904f3ad] from a, attempt 3",
  ],
  [{ level: 30, task: "tasks.add", id: "9904f3ad-…", ms: 2, msg: "succeeded" }, "succeeded  tasks.add[9904f3ad] in 2 ms"],
  [{ level: 30, task: "tasks.add", id: "9904f3ad-…", ms: 2, msg: "ignored" }, "ignored    tasks.add[9904f3ad] in 2 ms"],
  [
    {
      level: 50,
      task: "tasks.add",
      id: "9904f3ad-…",
      ms: 2,
      error: "RangeError: zero",
      stack: "RangeError: zero\n    at a.js:1",
      msg: "failed",
    },
    "failed     tasks.add[9904f3ad] after 2 ms: RangeError: zero\n    RangeError: zero\n        at a.js:1",
  ],
  [
    { level: 40, task: "tasks.add", id: "9904f3ad-…", ms: 2, error: "Error: x", next: time, msg: "retried" },
    "retried    tasks.add[9904f3ad] after 2 ms, next at 04:05:06: Error: x",
  ],
  [
    { level: 40, task: "tasks.add", id: "9904f3ad-…", ms: 0, reason: "expired", msg: "revoked" },
    "revoked    tasks.add[9904f3ad] after 0 ms: expired",
  ],
  [{ level: 30, task: "tasks.add", id: "9904f3ad-…", stream: "stdout", msg: "a\nb" }, "stdout     tasks.add[9904f3ad] a\n    b"],
  [{ level: 20, task: "tasks.add", id: "9904f3ad-…", n: 1, msg: "adding" }, "debug      tasks.add[9904f3ad] adding n=1"],
  [{ level: 30, queues: ["a", "b"], msg: "ready" }, "ready, takes from a, b"],
  [{ level: 30, running: 2, timeout: 30_000, msg: "stopping" }, "stopping, waits at most 30 s for 2 running"],
  [{ level: 30, running: 0, timeout: 30_000, msg: "stopping" }, "stopping"],
  [{ level: 40, queue: "a b", dropped: { n: 1 }, msg: "removed" }, 'warning  removed queue="a b" dropped={"n":1}'],
  [{ level: 40, reason: "ECONNREFUSED", msg: "broker cannot be reached" }, "warning  broker cannot be reached: ECONNREFUSED"],
  [{ level: 40, stream: "stderr", msg: "at load" }, "stderr  at load"],
  [{ level: 30, stream: "stdout", msg: "constructor" }, "stdout  constructor"],
  [{ level: 30, n: 1, msg: "toString" }, "toString n=1"],
  [
    { level: 30, task: "tasks.add", id: "9904f3ad-…", reason: { step: 2 }, error: "Error: x", msg: "skipping" },
    'info       tasks.add[9904f3ad] skipping reason={"step":2}: Error: x',
  ],
  [{ level: 40, error: 5, reason: null, msg: "odd" }, "warning  odd error=5 reason=null"],
])("pretty line of %j", (line, text) => {
  const json = JSON.stringify({ time, worker: "workerA@host", ...line });
  expect(prettyLines(plain)(json)).toBe(`04:05:06 workerA  ${text}\n`);
});

test("line without a worker, such as the guard's before it has a name: formatted", () => {
  expect(prettyLines(plain)(JSON.stringify({ level: 30, time, msg: "ready" }))).toBe("04:05:06  ready\n");
});

test("host of another machine: stays in the name", () => {
  expect(prettyLines(plain)(JSON.stringify({ level: 30, time, worker: "a@other", msg: "ready" }))).toBe("04:05:06 a@other  ready\n");
});

test("colours: show the level; without them, none", () => {
  const line = (level: number) => JSON.stringify({ level, time, worker: "a", task: "add", id: "1", msg: "failed" });
  const coloured = prettyLines({ ...plain, colours: true });
  expect(coloured(line(50))).toContain("\u001b[31mfailed");
  expect(coloured(line(40))).toContain("\u001b[33mfailed");
  expect(coloured(line(30))).toContain("\u001b[32mfailed");
  expect(prettyLines(plain)(line(50))).not.toContain("\u001b");
});

test.each([
  { columns: 40, worker: "workerw…", task: "tasks.that.are.…" },
  { columns: 200, worker: "workerworkerworkerworke…", task: "tasks.that.are.named.at.great.length" },
])("long name in a terminal of $columns columns: clipped", ({ columns, worker, task }) => {
  const names = { worker: "worker".repeat(9), task: "tasks.that.are.named.at.great.length" };
  const json = JSON.stringify({ level: 30, time, ...names, id: "9904f3ad-…", ms: 2, msg: "succeeded" });
  expect(prettyLines({ ...plain, columns: () => columns })(json)).toBe(`04:05:06 ${worker}  succeeded  ${task}[9904f3ad] in 2 ms
`);
});

test.each([
  [{}, false],
  [{ FORCE_COLOR: "1" }, true],
  [{ FORCE_COLOR: "" }, true],
  [{ FORCE_COLOR: "0" }, false],
  [{ FORCE_COLOR: "1", NO_COLOR: "1" }, true],
  [{ NO_COLOR: "1" }, false],
])("file with %j: colours %s", (environment, has) => {
  const file = openSync("/dev/null", "w");
  try {
    expect(hasColours(file, environment)).toBe(has);
  } finally {
    closeSync(file);
  }
});

test("name that changes: each line has the current one", async () => {
  const folder = mkdtempSync(join(tmpdir(), "bullrush-logger-"));
  const file = openSync(join(folder, "log"), "w");
  try {
    let name = "a";
    const log = await createLogger("info", "json", { descriptor: file, worker: () => name });
    log.info({ n: 1 }, "one");
    name = "b";
    log.child({ task: "t" }).info("two");
    const lines = readFileSync(join(folder, "log"), "utf8").trimEnd().split("\n");
    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
      { worker: "a", n: 1, msg: "one" },
      { worker: "b", task: "t", msg: "two" },
    ]);
  } finally {
    closeSync(file);
    rmSync(folder, { recursive: true });
  }
});
