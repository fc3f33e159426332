import { BullrushError, newId, readMessage, type Flow, type Message, type Outcome } from "@bullrush/broker";
import { chain, createApp, Reject, Replace, Retry, type RetryOptions, type TaskOptions } from "@bullrush/client";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { outcomeOf, type Attempt } from "../../src/execution/retry.js";

const id = newId();
const now = 1_000_000;
const minute = 60_000;
const error = new RangeError("out of reach");

const flow: Flow = { id, calls: [], joins: [], entries: [], expires: 1000, maxPayload: 1000 };

/** An attempt of a task with these options. */
function attemptOf(options: TaskOptions = {}, message: Partial<Message> = {}, more: Partial<Attempt> = {}): Attempt {
  const given: Message = {
    id,
    task: "tasks.a",
    args: [1, { deep: [2] }],
    headers: { tenant: "a" },
    priority: 3,
    retries: 0,
    rootId: id,
    ...message,
  };
  return {
    message: given,
    original: () => given,
    definition: { name: "tasks.a", options, run: () => undefined },
    foreign: false,
    queue: "default",
    replacementOf: () => flow,
    clock: { now: () => now },
    random: () => 0.5,
    maxPayload: 1000,
    ...more,
  };
}

const retry = (options?: RetryOptions) => new Retry("tasks.a", options);

/** The message of the next attempt. Fails for an outcome that has none. */
function nextOf(outcome: Outcome): Message {
  if (outcome.type !== "retried") throw new Error(`it has ${outcome.type}`);
  return readMessage(id, "tasks.a", outcome.text);
}

/** How long after now the next attempt is due, in ms. */
function delayOf(outcome: Outcome): number {
  if (outcome.type !== "retried") throw new Error(`it has ${outcome.type}`);
  return outcome.eta - now;
}

describe("an error", () => {
  test("is a failure, unless the task says otherwise", () => {
    expect(outcomeOf(error, attemptOf())).toMatchObject({ type: "failed", failure: { name: "RangeError", message: "out of reach" } });
    expect(outcomeOf(undefined, attemptOf())).toMatchObject({ type: "failed", failure: { name: "NonError" } });
  });

  class Strange extends Error {}
  const never = async () => true;

  test.each<[what: string, autoRetryFor: unknown, retries: boolean]>([
    ["its class", RangeError, true],
    ["a class above", [Error], true],
    ["its class and another", [Strange, RangeError], true],
    ["other classes", [Strange, TypeError, BullrushError], false],
    ["a class that is no error's", [Map], false],
    ["nothing", [], false],
    ["a function that says yes", (thrown: unknown) => thrown === error, true],
    ["a function that says no", () => false, false],
    ["a function and a class", [() => false, RangeError], true],
    ["a function whose answer is a promise", [never], false],
  ])("is retried for %s: %s", (_, autoRetryFor, retries) => {
    const outcome = outcomeOf(error, attemptOf({ autoRetryFor } as TaskOptions));
    expect(outcome.type).toBe(retries ? "retried" : "failed");
    expect(outcome).toMatchObject({ failure: { name: "RangeError", message: "out of reach" } });
  });

  test("that is no Error can be retried for by a function", () => {
    expect(outcomeOf("busy", attemptOf({ autoRetryFor: (thrown) => thrown === "busy" })).type).toBe("retried");
  });

  test("of the function that decides is what the task fails with", () => {
    const autoRetryFor = () => {
      throw new TypeError("not even that");
    };
    expect(outcomeOf(error, attemptOf({ autoRetryFor }))).toMatchObject({ type: "failed", failure: { name: "TypeError" } });
  });

  test("is expected if the task says so, also when it was retried for it", () => {
    const options: TaskOptions = { expectedErrors: [RangeError], autoRetryFor: [RangeError], maxRetries: 0 };
    expect(outcomeOf(error, attemptOf(options))).toMatchObject({ type: "failed", expected: true });
    expect(outcomeOf(new TypeError(), attemptOf(options))).not.toHaveProperty("expected");
    expect(outcomeOf(retry({ error }), attemptOf(options))).toMatchObject({ type: "failed", expected: true });
  });
});

describe("the next attempt", () => {
  test("is the same call with one retry more, due later", () => {
    const attempt = attemptOf({}, { retries: 1, expires: now + minute, parentId: newId(), ignoreResult: false, maxRetries: 5 });
    expect(nextOf(outcomeOf(retry({ countdown: "10s" }), attempt))).toEqual({
      ...attempt.message,
      retries: 2,
      eta: now + 10_000,
      lastFailure: expect.objectContaining({ name: "Retry", code: "RETRY_REQUESTED" }) as object,
    });
  });

  test("says why this one failed, and not why the one before did", () => {
    const lastFailure = { name: "TypeError", message: "the one before" };
    const next = nextOf(outcomeOf(retry({ error }), attemptOf({}, { retries: 1, lastFailure })));
    expect(next.lastFailure).toMatchObject({ name: "RangeError", message: "out of reach" });
    const long = nextOf(outcomeOf(retry({ error: new Error("x".repeat(9000), { cause: error }) }), attemptOf()));
    expect(JSON.stringify(long.lastFailure).length).toBeLessThan(4096);
    expect(long.lastFailure).toMatchObject({ name: "Error", message: "x".repeat(1000) });
  });

  test("may be as long as what its caller sends may be: why it failed is not counted", () => {
    const args = ["x".repeat(800)];
    expect(nextOf(outcomeOf(retry({ args, error: new Error("y".repeat(800)) }), attemptOf())).args).toEqual(args);
  });

  test.each([
    [-1, "retried"],
    [0, "revoked"],
    [1, "revoked"],
  ])("that is due %i ms after the message expires: %s", (late, type) => {
    const attempt = attemptOf({ autoRetryFor: RangeError, retryDelay: 5000 + late }, { expires: now + 5000 });
    expect(outcomeOf(error, attempt)).toMatchObject({ type, failure: { message: "out of reach" } });
    const asked = outcomeOf(retry({ countdown: 5000 + late, error }), attempt);
    expect(asked).toMatchObject({ type, failure: { message: "out of reach" } });
    if (type === "revoked") expect(asked).toMatchObject({ reason: "expired" });
  });

  test("has the arguments as they came, not as the function has left them", () => {
    const attempt = attemptOf();
    const original = structuredClone(attempt.message);
    (attempt.message.args[1] as { deep: number[] }).deep.pop();
    expect(nextOf(outcomeOf(retry(), { ...attempt, original: () => original })).args).toEqual([1, { deep: [2] }]);
  });

  test("has others if the task gives them", () => {
    expect(nextOf(outcomeOf(retry({ args: ["other"] }), attemptOf())).args).toEqual(["other"]);
    expect(nextOf(outcomeOf(retry({ args: [] }), attemptOf())).args).toEqual([]);
  });

  test.each<[string, RetryOptions]>([
    ["ENCODE_ERROR", { args: [1n] }],
    ["PAYLOAD_TOO_LARGE", { args: ["x".repeat(1000)] }],
  ])("has none that cannot be sent: the task fails with %s", (code, options) => {
    expect(outcomeOf(retry({ ...options, error }), attemptOf())).toMatchObject({ type: "failed", failure: { code } });
  });

  test("is not refused for its length when only the count of retries was added", () => {
    expect(outcomeOf(retry(), attemptOf({}, { args: ["x".repeat(990)] })).type).toBe("retried");
  });
});

describe("why", () => {
  test("is the error that is given, or that it was asked for", () => {
    expect(outcomeOf(retry({ error }), attemptOf())).toMatchObject({ failure: { name: "RangeError" } });
    expect(outcomeOf(retry({ error: "busy" }), attemptOf())).toMatchObject({ failure: { name: "NonError", message: "busy" } });
    expect(outcomeOf(retry(), attemptOf())).toMatchObject({ failure: { name: "Retry", code: "RETRY_REQUESTED" } });
  });
});

describe("when", () => {
  test.each<[what: string, options: RetryOptions, declared: TaskOptions, delay: number]>([
    ["after three minutes by default", {}, {}, 3 * minute],
    ["after the task's delay", {}, { retryDelay: "5s" }, 5000],
    ["after a countdown", { countdown: "2s" }, { retryDelay: "5s" }, 2000],
    ["at once", { countdown: 0 }, {}, 0],
    ["at a time", { eta: new Date(now + 7) }, {}, 7],
    ["at a time that has passed", { eta: new Date(now - 7) }, {}, -7],
    ["not with the backoff, which is for autoRetryFor", {}, { retryBackoff: "10s" }, 3 * minute],
  ])("this.retry() runs it: %s", (_, options, declared, delay) => {
    expect(delayOf(outcomeOf(retry(options), attemptOf(declared)))).toBe(delay);
  });

  test("autoRetryFor runs it: after the task's delay", () => {
    expect(delayOf(outcomeOf(error, attemptOf({ autoRetryFor: Error })))).toBe(3 * minute);
    expect(delayOf(outcomeOf(error, attemptOf({ autoRetryFor: Error, retryDelay: 40 })))).toBe(40);
  });

  test("autoRetryFor with backoff runs it: 1, 2, 4, … s later, 10 minutes at most", () => {
    const options: TaskOptions = { autoRetryFor: Error, retryBackoff: true, retryJitter: false, maxRetries: null };
    const delays = Array.from({ length: 12 }, (_, retries) => delayOf(outcomeOf(error, attemptOf(options, { retries }))));
    expect(delays).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600].map((seconds) => seconds * 1000));
  });

  const jitters = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  const spans = fc.integer({ min: 1, max: 1e9 });

  test("it doubles up to its bound, whatever the first delay, the bound and the number of retries", () => {
    fc.assert(
      fc.property(spans, spans, fc.nat({ max: 5000 }), (retryBackoff, retryBackoffMax, retries) => {
        const options: TaskOptions = { autoRetryFor: Error, retryBackoff, retryBackoffMax, retryJitter: false, maxRetries: Infinity };
        const delayAfter = (number: number) => delayOf(outcomeOf(error, attemptOf(options, { retries: number })));
        expect(delayAfter(0)).toBe(Math.min(retryBackoff, retryBackoffMax));
        expect(delayAfter(retries + 1)).toBe(Math.min(2 * delayAfter(retries), retryBackoffMax));
      }),
    );
  });

  test("jitter draws it from 0 to the whole of that, in whole milliseconds", () => {
    fc.assert(
      fc.property(spans, fc.nat({ max: 40 }), jitters, (retryBackoff, retries, drawn) => {
        const options: TaskOptions = { autoRetryFor: Error, retryBackoff, maxRetries: null };
        const whole = delayOf(outcomeOf(error, attemptOf({ ...options, retryJitter: false }, { retries })));
        const delay = delayOf(outcomeOf(error, attemptOf(options, { retries }, { random: () => drawn })));
        expect(Number.isInteger(delay)).toBe(true);
        expect(delay).toBeGreaterThanOrEqual(0);
        expect(delay).toBeLessThanOrEqual(whole);
        expect(Math.abs(delay - drawn * whole)).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe("how often", () => {
  const always: TaskOptions = { autoRetryFor: Error };

  test.each<[what: string, most: number, declared: TaskOptions, message: Partial<Message>, options: RetryOptions]>([
    ["3 times by default", 3, {}, {}, {}],
    ["as the task says", 1, { maxRetries: 1 }, {}, {}],
    ["never", 0, { maxRetries: 0 }, {}, {}],
    ["for ever", Infinity, { maxRetries: null }, {}, {}],
    ["for ever, said otherwise", Infinity, { maxRetries: Infinity }, {}, {}],
    ["as the call says", 2, { maxRetries: 9 }, { maxRetries: 2 }, {}],
    ["for ever, as the call says", Infinity, { maxRetries: 9 }, { maxRetries: null }, {}],
    ["as this.retry() says", 4, { maxRetries: 9 }, { maxRetries: 2 }, { maxRetries: 4 }],
    ["for ever, as this.retry() says", Infinity, {}, { maxRetries: 2 }, { maxRetries: null }],
  ])("%s", (_, most, declared, message, options) => {
    const thrown = Object.keys(options).length > 0 ? [retry({ ...options, error })] : [error, retry({ error })];
    for (const one of thrown) {
      const typeAfter = (retries: number) => outcomeOf(one, attemptOf({ ...always, ...declared }, { ...message, retries })).type;
      if (most > 0) expect(typeAfter(Math.min(most, 1e6) - 1)).toBe("retried");
      if (most < Infinity) expect(typeAfter(most)).toBe("failed");
    }
  });

  test("and then it fails with the error that it had", () => {
    expect(outcomeOf(error, attemptOf(always, { retries: 3 }))).toMatchObject({ failure: { name: "RangeError" } });
    expect(outcomeOf(retry({ error }), attemptOf({}, { retries: 3 }))).toMatchObject({ failure: { name: "RangeError" } });
    const outcome = outcomeOf(retry(), attemptOf({ maxRetries: 2 }, { retries: 2 }));
    expect(outcome).toMatchObject({ type: "failed", failure: { code: "MAX_RETRIES_EXCEEDED", cause: { name: "Retry" } } });
    expect(outcome).toMatchObject({ failure: { message: expect.stringContaining("retried only 2 times") as string } });
  });
});

describe("a rejected message", () => {
  test("is a failure, and kept", () => {
    expect(outcomeOf(new Reject("tasks.a", { reason: "not ours" }), attemptOf({ autoRetryFor: Error }))).toMatchObject({
      type: "failed",
      deadLetter: true,
      failure: { code: "TASK_REJECTED", message: '"tasks.a" rejected its message: not ours' },
    });
  });

  test("may go back", () => {
    expect(outcomeOf(new Reject("tasks.a", { requeue: true }), attemptOf())).toMatchObject({ type: "requeued", eta: now + 1000 });
  });
});

describe("a job of a plain BullMQ producer", () => {
  const foreign = { foreign: true };

  test("fails with its error: its own attempts count", () => {
    expect(outcomeOf(error, attemptOf({ autoRetryFor: Error }, {}, foreign))).toMatchObject({
      type: "failed",
      failure: { name: "RangeError" },
    });
  });

  test("cannot be retried by this.retry()", () => {
    const failure = { code: "RETRY_UNSUPPORTED", cause: { name: "RangeError" } };
    expect(outcomeOf(retry({ error }), attemptOf({}, {}, foreign))).toMatchObject({ type: "failed", failure });
  });
});

describe("replace()", () => {
  const canvas = chain(createApp().stub("tasks.b").si());

  test("has the canvas run in its place", () => {
    expect(outcomeOf(new Replace("tasks.a", canvas), attemptOf())).toEqual({ type: "replaced", flow });
  });

  test.each([
    ["a job of a plain BullMQ producer", attemptOf({}, {}, { foreign: true })],
    ["a chunk", attemptOf({}, { each: true })],
  ])("in %s, which needs a result of its own, is a failure", (where, attempt) => {
    expect(outcomeOf(new Replace("tasks.a", canvas), attempt)).toMatchObject({
      type: "failed",
      failure: { code: "REPLACE_UNSUPPORTED", message: expect.stringContaining(where) },
    });
  });
});

test("the arguments of a chunk cannot be others at the next attempt", () => {
  expect(outcomeOf(retry({ args: [3] }), attemptOf({}, { each: true }))).toMatchObject({
    type: "failed",
    failure: { code: "INVALID_OPTION" },
  });
});
