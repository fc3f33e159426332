import type { Bound, Retention } from "../ports/retention.js";
import { toMilliseconds, type Duration } from "../time/duration.js";
import { describe, fieldsOf, refuse } from "./option.js";

/** How much of one kind a queue keeps. What is beyond any of the three is removed, the oldest first. `Infinity` is no bound. */
export interface BoundOptions {
  /** Most that are kept, from 0. */
  readonly count?: number;
  /** How long each is kept. Workers look for what is older every few seconds. */
  readonly age?: Duration | typeof Infinity;
  /** How much memory of Redis they take, in bytes, as far as their values tell: 1,200 and 1.125 times the values for each. From 0. */
  readonly bytes?: number;
}

/** What a queue keeps of messages that have ended, for observers such as BullMQ's tools. Results live on their own, for `resultExpires`. */
export interface RetentionOptions {
  /** Finished jobs that succeeded. Default: 1,000, for `resultExpires`, 64 MiB. */
  readonly completed?: BoundOptions;
  /** Finished jobs that failed or were revoked. Default: 10,000, for `resultExpires`, 64 MiB. */
  readonly failed?: BoundOptions;
  /** Messages that could not be run. Default: 100,000, for 14 days, 64 MiB. */
  readonly deadLetter?: BoundOptions;
  /** Whether the arguments are kept with them. Without, nothing that has ended can be sent again. Default: true. */
  readonly keepArguments?: boolean;
}

const boundless = Number.MAX_SAFE_INTEGER;
const mebibyte = 1024 * 1024;

/** What is kept where nothing is said. `lifetime`: how long results are kept, in ms. */
export function defaultRetention(lifetime: number): Retention {
  return {
    completed: { count: 1000, age: lifetime, bytes: 64 * mebibyte },
    failed: { count: 10_000, age: lifetime, bytes: 64 * mebibyte },
    deadLetter: { count: 100_000, age: toMilliseconds("14d", "deadLetter"), bytes: 64 * mebibyte },
    keepArguments: true,
  };
}

/** `given`, and where it says nothing `otherwise`. Throws `INVALID_OPTION`, naming the place below `option`. */
export function compileRetention(given: unknown, otherwise: Retention, option = "retention"): Retention {
  if (given === undefined) return otherwise;
  const fields = fieldsOf(given, option, ["completed", "failed", "deadLetter", "keepArguments"], "an object");
  const keepArguments = fields.get("keepArguments") ?? otherwise.keepArguments;
  if (typeof keepArguments !== "boolean") return refuse(`${option}.keepArguments`, describe(keepArguments), "true or false");
  return {
    completed: compileBound(fields.get("completed"), otherwise.completed, `${option}.completed`),
    failed: compileBound(fields.get("failed"), otherwise.failed, `${option}.failed`),
    deadLetter: compileBound(fields.get("deadLetter"), otherwise.deadLetter, `${option}.deadLetter`),
    keepArguments,
  };
}

function compileBound(given: unknown, otherwise: Bound, option: string): Bound {
  if (given === undefined) return otherwise;
  const fields = fieldsOf(given, option, ["count", "age", "bytes"], "an object with a count, an age or a number of bytes");
  const age = fields.get("age");
  return {
    count: compileNumber(fields.get("count"), otherwise.count, `${option}.count`),
    age: age === undefined ? otherwise.age : age === Infinity ? boundless : toMilliseconds(age as Duration, `${option}.age`),
    bytes: compileNumber(fields.get("bytes"), otherwise.bytes, `${option}.bytes`),
  };
}

function compileNumber(given: unknown, otherwise: number, option: string): number {
  if (given === undefined) return otherwise;
  if (given === Infinity) return boundless;
  if (Number.isSafeInteger(given) && (given as number) >= 0) return given as number;
  return refuse(option, describe(given), "a whole number from 0, or Infinity");
}
