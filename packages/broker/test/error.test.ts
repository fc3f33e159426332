import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { BullrushError, errorCodes, type ErrorCode, type ErrorDetails } from "../src/error.js";

const url = "redis://127.0.0.1:6379/0";
const id = "0190c6a0-1111-7222-8333-444455556666";

/** Details for every code, each text recognisable in the message. */
const details: { readonly [C in ErrorCode]: ErrorDetails<C> } = {
  BROKER_UNAVAILABLE: { url, action: "task not confirmed", deadline: 5000, reason: "connect ECONNREFUSED" },
  BROKER_FULL: { url },
  RESULT_BACKEND_UNAVAILABLE: { url, action: "1 result was not read", deadline: 5000, reason: "no answer" },
  REDIS_AUTH: { url, user: "ann", reason: "WRONGPASS" },
  REDIS_UNSUITABLE: { url, reason: "it is a replica" },
  CLUSTER_UNSUPPORTED: { url },
  INVALID_URL: { reason: "it names no host" },
  INVALID_OPTION: { option: "lease", got: "-1", expected: "milliseconds" },
  INVALID_TASK_ID: { id: "wait" },
  INVALID_TASK_NAME: { name: "a b", reason: "it has a space" },
  INVALID_QUEUE_NAME: { queue: "a:b", reason: "it has a colon" },
  TASK_NOT_REGISTERED: { task: "tasks.ad", known: ["tasks.add", "tasks.sub"] },
  TASK_ALREADY_REGISTERED: { task: "tasks.add" },
  TASK_POISONED: { task: "tasks.add", crashes: 3 },
  WORKER_LOST: { task: "tasks.add" },
  RETRY_REQUESTED: { task: "tasks.add" },
  REPLACEMENT_REQUESTED: { task: "tasks.add" },
  MAX_RETRIES_EXCEEDED: { task: "tasks.add", maxRetries: 3 },
  RETRY_UNSUPPORTED: { task: "tasks.add" },
  IGNORE_REQUESTED: { task: "tasks.add" },
  IGNORE_UNSUPPORTED: { task: "tasks.add" },
  REPLACE_UNSUPPORTED: { task: "tasks.add", where: "a chunk" },
  ADD_TO_CHORD_UNSUPPORTED: { task: "tasks.add" },
  CHORD_MEMBER_ENDED: { task: "tasks.add" },
  TASK_REJECTED: { task: "tasks.add", reason: "it is for another shop" },
  SETTLEMENT_REFUSED: { task: "tasks.add", reason: "WRONGTYPE of a key" },
  CHORD_FAILED: { failed: 2, size: 3, members: ["tasks.add failed: TypeError: no"] },
  UNROUTABLE: { task: "tasks.add", exchange: "feeds", routingKey: "feeds.import" },
  QUEUE_NOT_DECLARED: { queue: "mail", task: "tasks.add", declared: ["default", "feeds"] },
  ENCODE_ERROR: { what: "the result", path: "$.a", reason: "NaN has no JSON form" },
  DECODE_ERROR: { what: "the message", reason: "it is not JSON" },
  PAYLOAD_TOO_LARGE: { what: "the result", bytes: 11, limit: 10 },
  NOT_ALL_SENT: { failed: 1, calls: 3, reason: "the broker is away" },
  TASK_FAILED: { task: "tasks.add", id, failure: "TypeError: no" },
  TASK_REVOKED: { task: "tasks.add", id, reason: "expired" },
  TASK_TIMEOUT: { task: "tasks.add", id, timeout: 1500 },
  TIME_LIMIT_EXCEEDED: { task: "tasks.add", limit: 2500 },
  SOFT_TIME_LIMIT_EXCEEDED: { task: "tasks.add", limit: 250 },
  POOL_FAILED: { reason: "pool process 7 cannot load the app" },
  UNKNOWN_TASK: { id },
  ENTRY_NOT_FOUND: { entry: "nightly" },
  NO_REDIS: { tried: ["no redis-server on PATH", "embedded Valkey did not start"] },
  NO_CURRENT_TASK: undefined,
  APP_CLOSED: { app: "shop" },
  APP_NOT_FOUND: { where: "tasks.ts", reason: "it exports nothing" },
  WORKER_USAGE: { reason: "-c must be a number" },
  BEAT_USAGE: { reason: "--for must be a time" },
  COMMAND_USAGE: { reason: "unknown command 'wroker'" },
};

const errorOf = <C extends ErrorCode>(code: C, options?: ErrorOptions) =>
  new (BullrushError as new (code: C, details: ErrorDetails<C>, options?: ErrorOptions) => BullrushError<C>)(code, details[code], options);

describe.each(errorCodes)("%s", (code) => {
  test("says what it met, in one line", () => {
    const { message } = errorOf(code);
    for (const detail of Object.values(details[code] ?? {}).flat()) expect(message).toContain(String(detail));
    expect(message).toMatch(/^\S.*\S$/);
    expect(message).not.toMatch(/undefined|\[object|NaN ms/);
  });

  test("carries code, details, cause and a stack", () => {
    const cause = new Error("underneath");
    const error = errorOf(code, { cause });
    expect(error).toMatchObject({ name: "BullrushError", code, details: details[code], cause });
    expect(error.stack).toMatch(/^BullrushError: [^]*error\.test\.ts/);
    expect(errorOf(code)).not.toHaveProperty("cause");
  });
});

test("the codes are words in capitals, each once", () => {
  expect(new Set(errorCodes).size).toBe(errorCodes.length);
  expect([...errorCodes].toSorted()).toEqual(Object.keys(details).toSorted());
  for (const code of errorCodes) expect(code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
});

test.each([
  [1000, "1 second"],
  [20_000, "20 seconds"],
  [999, "999 ms"],
  [1500, "1500 ms"],
  [0, "0 ms"],
])("a limit of %i ms is said to be %s", (time, text) => {
  const task = "tasks.add";
  expect(new BullrushError("TASK_TIMEOUT", { task, id, timeout: time }).message).toContain(`no result after ${text};`);
  expect(new BullrushError("TIME_LIMIT_EXCEEDED", { task, limit: time }).message).toMatch(new RegExp(`time limit of ${text}$`));
  expect(new BullrushError("SOFT_TIME_LIMIT_EXCEEDED", { task, limit: time }).message).toMatch(new RegExp(`soft time limit of ${text}$`));
});

test("an empty list is said to be empty", () => {
  expect(new BullrushError("TASK_NOT_REGISTERED", { task: "tasks.add", known: [] }).message).toContain("(known: none)");
});

describe("instanceof", () => {
  class Special extends BullrushError<"APP_CLOSED"> {
    constructor() {
      super("APP_CLOSED", { app: "shop" });
    }
  }

  test("holds for BullrushError and its own subclasses", () => {
    const error = errorOf("APP_CLOSED");
    expect(error).toBeInstanceOf(BullrushError);
    expect(error).toBeInstanceOf(Error);
    expect(error).not.toBeInstanceOf(Special);
    expect(new Special()).toBeInstanceOf(Special);
    expect(new Special()).toBeInstanceOf(BullrushError);
  });

  test("holds for errors of another copy of the package, and of another realm", () => {
    const mark = Symbol.for("bullrush.error");
    expect(Object.assign(new Error("from another copy"), { [mark]: true })).toBeInstanceOf(BullrushError);
    expect(runInNewContext("Object.assign(new Error(), { [Symbol.for('bullrush.error')]: true })")).toBeInstanceOf(BullrushError);
  });

  test.each([[new Error("no")], [{ code: "APP_CLOSED" }], [undefined], [null], ["APP_CLOSED"], [7], [() => undefined]])(
    "does not hold for %o",
    (value) => {
      expect(value).not.toBeInstanceOf(BullrushError);
    },
  );
});
