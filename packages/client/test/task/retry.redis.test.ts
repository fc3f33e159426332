import { describe, expect, test } from "vitest";
import {
  BullrushError,
  createApp,
  isReject,
  isRetry,
  matchesError,
  Reject,
  Retry,
  type RejectOptions,
  type RetryOptions,
} from "../../src/index.js";
import { failing, rejected, thrownBy } from "../support.js";

const app = createApp({ broker: "redis://127.0.0.1:1" });

describe("direct call", () => {
  const again = app.task("again", async function (options?: RetryOptions) {
    return this.retry(options);
  });
  const refuse = app.task("refuse", function (options?: RejectOptions) {
    return this.reject(options);
  });

  test("this.retry(): throws its error, or Retry without one", async () => {
    const error = new RangeError("not yet");
    expect(await rejected(again({ error }))).toBe(error);
    expect(await rejected(again())).toEqual(failing("RETRY_REQUESTED", { task: "again" }));
  });

  test("this.reject(): throws Reject with the reason", () => {
    expect(thrownBy(() => refuse({ reason: "not ours", requeue: true }))).toEqual(
      failing("TASK_REJECTED", { task: "refuse", reason: "not ours" }),
    );
    expect(thrownBy(() => refuse())).toEqual(failing("TASK_REJECTED", { reason: "no reason given" }));
  });
});

describe("refused options", () => {
  test.each<[what: string, options: unknown, option: string]>([
    ["a misspelt option", { cuontdown: 1 }, '"cuontdown" of this.retry() in tasks.a'],
    ["a countdown that is none", { countdown: "soon" }, '"countdown"'],
    ["a countdown beyond all measure", { countdown: 1e22 }, '"countdown"'],
    ["a time that is none", { eta: 5 }, '"eta"'],
    ["a time beyond all measure", { eta: new Date(8.64e15) }, '"eta"'],
    ["a countdown beside a time", { countdown: 1, eta: new Date() }, '"countdown"'],
    ["half a retry", { maxRetries: 0.5 }, '"maxRetries"'],
    ["fewer retries than none", { maxRetries: -1 }, '"maxRetries"'],
    ["arguments that are no list", { args: "a" }, '"args"'],
    ["an error in their place", new Error("no"), "this.retry()"],
  ])("of this.retry(): %s", (_, options, option) => {
    const refused = failing("INVALID_OPTION", { option: expect.stringContaining(option) });
    expect(thrownBy(() => new Retry("tasks.a", options as RetryOptions))).toEqual(refused);
  });

  test.each<[what: string, options: unknown, option: string]>([
    ["a misspelt option", { requeu: true }, '"requeu" of this.reject() in tasks.a'],
    ["a flag that is none", { requeue: 1 }, '"requeue"'],
    ["a reason that is none", { reason: new Error("no") }, '"reason"'],
  ])("of this.reject(): %s", (_, options, option) => {
    const refused = failing("INVALID_OPTION", { option: expect.stringContaining(option) });
    expect(thrownBy(() => new Reject("tasks.a", options as RejectOptions))).toEqual(refused);
  });
});

test("Retry and Reject: told from other errors, also those of another copy of the package", () => {
  const copyOf = (name: string) => Object.assign(new Error(), { [Symbol.for("bullrush.error")]: true, [Symbol.for(name)]: true });
  expect(
    [new Retry("a"), copyOf("bullrush.retry"), new Reject("a"), new BullrushError("NO_CURRENT_TASK"), undefined, "a", {}].map(isRetry),
  ).toEqual([...[true, true, false, false, false, false, false]]);
  expect([new Reject("a"), copyOf("bullrush.reject"), new Retry("a"), null].map(isReject)).toEqual([true, true, false, false]);
});

describe("autoRetryFor", () => {
  /** A class as compilers for old engines write it. */
  function Old(this: Error): void {}
  Old.prototype = Object.create(Error.prototype) as object;

  test("classes: matched without being called", () => {
    expect(matchesError(new TypeError(), Old as unknown as typeof Error)).toBe(false);
    expect(matchesError(Object.create(Old.prototype as object), Old as unknown as typeof Error)).toBe(true);
    expect(matchesError(new BullrushError("NO_CURRENT_TASK"), [TypeError, BullrushError])).toBe(true);
    expect(matchesError(new DOMException("no", "AbortError"), DOMException)).toBe(true);
    expect(matchesError(new Error("no"), DOMException)).toBe(false);
  });

  test("functions: matched by their answer", () => {
    expect(matchesError(7, (error) => error === 7)).toBe(true);
    expect(
      matchesError(7, function (error) {
        return error === 8;
      }),
    ).toBe(false);
  });

  test("nothing: matches no error", () => {
    expect(matchesError(new Error("any"))).toBe(false);
  });
});
