import type { Outcome } from "@bullrush/broker";
import type { ExecuteLayer, ExecuteNext, Execution, Outcome as SeenOutcome } from "@bullrush/client";
import { expect, it } from "vitest";
import { executeThrough } from "../../src/execution/execute-through.js";

const execution: Execution = {
  id: "i",
  task: "t",
  args: [],
  attempt: 1,
  queue: "default",
  worker: "w",
  headers: {},
  priority: 0,
  rootId: "i",
};

/** A function that returns 3 through layers that do what `surrounds` say, and how often it was called. */
async function runThrough(...surrounds: readonly ExecuteLayer["execute"][]) {
  let calls = 0;
  const outcome = await executeThrough({
    layers: surrounds.map((execute, index) => ({ name: `m${index}`, execute })),
    execution,
    run: async (onValue) => {
      calls++;
      onValue(3);
      return { type: "succeeded", result: "3" };
    },
    outcomeOf: (error) => ({ type: "failed", failure: { name: "Error", message: (error as Error).message } }),
  });
  return { calls, outcome };
}

const success: Outcome = { type: "succeeded", result: "3" };
const failedWith = (message: string): unknown => ({ type: "failed", failure: { message: expect.stringContaining(message) as string } });

it("layers that return what next returned: the outcome is that of the function, and each sees its value", async () => {
  const seen: SeenOutcome[] = [];
  const look: ExecuteLayer["execute"] = async (given, next) => {
    const outcome = await next(given);
    seen.push(outcome);
    return outcome;
  };
  expect(await runThrough(look, look)).toEqual({ calls: 1, outcome: success });
  expect(seen).toEqual([
    { type: "succeeded", value: 3 },
    { type: "succeeded", value: 3 },
  ]);
});

it.each<[string, ExecuteLayer["execute"], number, string]>([
  [
    "calls next twice",
    async (given, next) => {
      await next(given);
      return next(given);
    },
    1,
    'execute of middleware "m0" is calling next() twice',
  ],
  [
    "calls next twice and catches the error",
    async (given, next) => {
      const outcome = await next(given);
      await next(given).catch(() => undefined);
      return outcome;
    },
    1,
    "calling next() twice",
  ],
  ["never calls next, and returns an outcome of its own", async () => ({ type: "succeeded" }), 0, "returning something else"],
  [
    "returns no outcome",
    async (given, next) => {
      await next(given);
      return undefined as unknown as SeenOutcome;
    },
    1,
    "returning something else",
  ],
  ["returns a copy of the outcome", async (given, next) => ({ ...(await next(given)) }), 1, "returning something else"],
  ["calls next with another execution", (given, next) => next({ ...given }), 0, "calling next() with another execution"],
  [
    "returns before the function has ended",
    async (given, next) => {
      void next(given);
      return { type: "succeeded" };
    },
    1,
    "returning something else",
  ],
  ["throws instead of calling next", () => Promise.reject(new Error("not today")), 0, "not today"],
  [
    "throws at once, and returns no promise",
    () => {
      throw new Error("at once");
    },
    0,
    "at once",
  ],
])("a layer that %s: the run fails and says why", async (_, execute, calls, message) => {
  const ended = await runThrough(execute);
  expect(ended.calls).toBe(calls);
  expect(ended.outcome).toMatchObject(failedWith(message) as object);
});

it("an inner layer that throws: the outer one sees that the run failed, and returns it", async () => {
  let seen: SeenOutcome | undefined;
  const outer: ExecuteLayer["execute"] = async (given, next: ExecuteNext) => (seen = await next(given));
  const { outcome } = await runThrough(outer, () => Promise.reject(new Error("inside")));
  expect(outcome).toMatchObject(failedWith("inside") as object);
  expect(seen).toMatchObject({ type: "failed", failure: { message: "inside" } });
});
