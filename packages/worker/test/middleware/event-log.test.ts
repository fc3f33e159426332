import { newId, type Delivery, type Message, type Outcome } from "@bullrush/broker";
import { pino } from "pino";
import { expect, test } from "vitest";
import type { Execution } from "../../src/execution/execution.js";
import { Stop } from "../../src/execution/stop.js";
import { RunTrace } from "../../src/execution/run-trace.js";
import { eventLog } from "../../src/middleware/event-log.js";

const id = newId();
const failure = { name: "Error", message: "no", stack: "Error: no\n    at a.js" };
const succeeded: Outcome = { type: "succeeded", result: '"secret"' };

/** The lines that are written at `level` for a task that takes 7 ms and ends with `outcome`, told to end meanwhile or not. */
async function linesOf(level: string, outcome: Outcome, toldToEnd = false): Promise<readonly object[]> {
  const lines: object[] = [];
  const log = pino(
    { level, base: null, timestamp: false, formatters: { level: (label) => ({ level: label }) } },
    { write: (line) => lines.push(JSON.parse(line) as object) },
  );
  const message: Message = { id, task: "add", args: ["secret"], headers: {}, priority: 0, retries: 1, rootId: id };
  const delivery: Delivery = {
    id,
    queue: "sums",
    number: 1,
    endedBefore: 0,
    crashes: 0,
    token: "t",
    content: { type: "message", message },
  };
  const definition = { name: "add", options: {}, run: () => undefined };
  const execution: Execution = {
    delivery,
    message,
    definition,
    startedAt: 1000,
    storesResult: true,
    stop: new Stop(),
    trace: new RunTrace(),
  };
  const given = await eventLog(log, { now: () => 1007 })(execution, async ({ stop }) => {
    if (toldToEnd) stop.request(new Error("the worker shuts down"));
    return outcome;
  });
  expect(given).toBe(outcome);
  return lines;
}

const received = { level: "info", task: "add", id, queue: "sums", attempt: 2, msg: "received" };
const ended = { task: "add", id, ms: 7 };

test.each<[Outcome, object]>([
  [succeeded, { level: "info", ...ended, msg: "succeeded" }],
  [
    { type: "failed", failure },
    { level: "error", ...ended, error: "Error: no", stack: failure.stack, msg: "failed" },
  ],
  [
    { type: "failed", failure, expected: true },
    { level: "info", ...ended, error: "Error: no", msg: "failed" },
  ],
  [
    { type: "retried", failure, text: '"secret"', eta: 0 },
    { level: "warn", ...ended, error: "Error: no", next: "1970-01-01T00:00:00.000Z", msg: "retried" },
  ],
  [
    { type: "requeued", reason: "not ours" },
    { level: "warn", ...ended, reason: "not ours", msg: "requeued" },
  ],
  [
    { type: "revoked", reason: "expired" },
    { level: "warn", ...ended, reason: "expired", msg: "revoked" },
  ],
])("says what was received and how it ended: %o", async (outcome, line) => {
  expect(await linesOf("info", outcome)).toEqual([received, line]);
});

test("says how a task ended only at the level of that, and nothing when it is silent", async () => {
  expect(await linesOf("error", succeeded)).toEqual([]);
  expect(await linesOf("error", { type: "revoked", reason: "expired" })).toEqual([]);
  expect(await linesOf("error", { type: "failed", failure })).toMatchObject([{ msg: "failed" }]);
  expect(await linesOf("silent", { type: "failed", failure })).toEqual([]);
});

test("does not say how a task ended that was told to end", async () => {
  expect(await linesOf("info", succeeded, true)).toEqual([received]);
});

test.each<Outcome>([
  { type: "failed", failure: leaky() },
  { type: "failed", failure: leaky(), expected: true },
  { type: "retried", failure: leaky(), text: "{}", eta: 0 },
  { type: "revoked", reason: leaky().message, failure: leaky() },
  { type: "requeued", reason: leaky().message },
  { type: "crashed", reason: leaky().message },
])("the password of a URL in an error is in no line: %j", async (outcome) => {
  const text = JSON.stringify(await linesOf("debug", outcome));
  expect(text).not.toContain("s3cret");
  expect(text).toContain("redis://***@db");
});

function leaky() {
  const message = "cannot reach redis://ann:s3cret@db";
  return { name: "Error", message, stack: `Error: ${message}\n    at a.js` };
}
