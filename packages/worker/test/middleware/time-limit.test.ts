import { newId, type Message, type Outcome } from "@bullrush/broker";
import { SoftTimeLimitExceeded, type TaskDefinition } from "@bullrush/client";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Execution } from "../../src/execution/execution.js";
import { Stop } from "../../src/execution/stop.js";
import { RunTrace } from "../../src/execution/run-trace.js";
import type { TimeLimits } from "../../src/execution/time-limits.js";
import { timeLimit } from "../../src/middleware/time-limit.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const none: TimeLimits = { soft: undefined, hard: undefined };
const succeeded: Outcome = { type: "succeeded", result: "3" };

interface Given {
  readonly defaults?: Partial<TimeLimits>;
  readonly declared?: TaskDefinition["options"];
  readonly called?: Pick<Message, "timeLimit" | "softTimeLimit">;
}

/** A task under limits: it begins and ends when it is told to. */
function limited({ defaults = {}, declared = {}, called = {} }: Given) {
  const id = newId();
  const message: Message = { id, task: "add", args: [], headers: {}, priority: 0, retries: 0, rootId: id, ...called };
  const content = { type: "message", message } as const;
  const outer: Execution = {
    delivery: { id, queue: "sums", number: 1, endedBefore: 0, crashes: 0, token: "t", content },
    message,
    definition: { name: "add", options: declared, run: () => undefined },
    startedAt: 0,
    storesResult: true,
    stop: new Stop(),
    trace: new RunTrace(),
  };
  const killed: Error[] = [];
  let inner = outer;
  let end: (outcome: Outcome) => void = () => {};
  const outcome = timeLimit({ ...none, ...defaults })(outer, (execution) => {
    inner = execution;
    execution.stop.onKill((error) => killed.push(error));
    return new Promise((resolve) => (end = resolve));
  });
  return { outer, inner, killed, outcome, begin: () => inner.onBegin?.(), end };
}

/** When it is asked to end, and when it is killed, in ms after its beginning; `undefined` for never. */
async function limitsOf(given: Given): Promise<readonly [number | undefined, number | undefined]> {
  const { inner, killed, begin, end } = limited(given);
  const from = Date.now();
  let asked: number | undefined;
  let dead: number | undefined;
  inner.stop.onRequest(() => (asked = Date.now() - from));
  inner.stop.onKill(() => (dead = Date.now() - from));
  begin();
  await vi.advanceTimersByTimeAsync(10_000);
  end(succeeded);
  expect(killed).toHaveLength(dead === undefined ? 0 : 1);
  return [asked, dead];
}

test("a task without limits is left alone", async () => {
  const { outer, inner, outcome, end } = limited({});
  end(succeeded);
  expect(await outcome).toBe(succeeded);
  expect(inner).toBe(outer);
});

test.each<[Given, readonly [number | undefined, number | undefined]]>([
  [{ defaults: { soft: 100, hard: 200 } }, [100, 200]],
  [{ defaults: { soft: 100 } }, [100, undefined]],
  [{ defaults: { hard: 200 } }, [200, 200]],
  [{ defaults: { soft: 100, hard: 200 }, declared: { softTimeLimit: "1s", timeLimit: "2s" } }, [1000, 2000]],
  [{ declared: { softTimeLimit: "1s", timeLimit: "2s" }, called: { softTimeLimit: 30, timeLimit: 40 } }, [30, 40]],
  [{ defaults: { soft: 100, hard: 200 }, called: { timeLimit: 5000 } }, [100, 5000]],
])("of the limits those of the call win, then the task's, then the worker's: %o", async (given, expected) => {
  expect(await limitsOf(given)).toEqual(expected);
});

test("the soft limit aborts the signal, and what the task comes to counts", async () => {
  const { inner, killed, outcome, begin, end } = limited({ declared: { softTimeLimit: "1s" } });
  begin();
  await vi.advanceTimersByTimeAsync(1000);
  expect(inner.stop.signal.reason).toBeInstanceOf(SoftTimeLimitExceeded);
  expect(inner.stop.signal.reason).toMatchObject({ details: { task: "add", limit: 1000 } });
  end(succeeded);
  expect(await outcome).toBe(succeeded);
  expect(killed).toEqual([]);
});

test("the hard limit kills and fails the task at once, whatever it comes to later", async () => {
  const { killed, outcome, begin, end } = limited({ declared: { timeLimit: "1s" } });
  begin();
  await vi.advanceTimersByTimeAsync(1000);
  const failed = await outcome;
  expect(failed).toMatchObject({ type: "failed", failure: { code: "TIME_LIMIT_EXCEEDED" } });
  expect(failed).not.toHaveProperty("failure.stack");
  expect(killed).toEqual([expect.objectContaining({ code: "TIME_LIMIT_EXCEEDED" })]);
  end(succeeded);
  expect(await outcome).toBe(failed);
});

test("the limits count from the beginning of the function, and not beyond its end", async () => {
  const { inner, killed, outcome, begin, end } = limited({ declared: { timeLimit: "1s" } });
  await vi.advanceTimersByTimeAsync(5000);
  begin();
  await vi.advanceTimersByTimeAsync(999);
  expect([inner.stop.requested, killed]).toEqual([false, []]);
  end(succeeded);
  expect(await outcome).toBe(succeeded);
  expect(vi.getTimerCount()).toBe(0);
});

test("what a limit asks for stays below; what is asked from outside comes through", async () => {
  const { outer, inner, killed, begin, end } = limited({ declared: { softTimeLimit: "1s", timeLimit: "2s" } });
  begin();
  await vi.advanceTimersByTimeAsync(1000);
  expect([inner.stop.requested, outer.stop.requested]).toEqual([true, false]);
  const reason = new Error("the worker shuts down");
  outer.stop.kill(reason);
  expect(killed).toEqual([reason]);
  end(succeeded);
});

test("tells who is outside that the function begins", async () => {
  const { outer } = limited({});
  const begun: string[] = [];
  const layer = timeLimit({ ...none, hard: 100 });
  await layer({ ...outer, onBegin: () => begun.push("outside") }, async ({ onBegin }) => {
    onBegin?.();
    return succeeded;
  });
  expect(begun).toEqual(["outside"]);
});
