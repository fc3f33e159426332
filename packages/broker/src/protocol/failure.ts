import { types } from "node:util";
import { clip } from "../clip.js";

/**
 * An error in wire form. It is plain data for good: the reading side shows it and never revives a class by its name
 * (a stored name that picks a constructor is how Celery came to CVE-2021-23727).
 */
export interface Failure {
  /** The error's class name, such as `"TypeError"`; at most 200 characters. */
  readonly name: string;
  /** At most 10,000 characters. */
  readonly message: string;
  /** The stable code of an error that has one, such as `"ENCODE_ERROR"` or `"ENOENT"`; at most 200 characters. */
  readonly code?: string;
  /** The stack where it was thrown; at most 20,000 characters. */
  readonly stack?: string;
  /** What caused it; at most five levels. */
  readonly cause?: Failure;
}

const limits = { name: 200, message: 10_000, stack: 20_000, depth: 5 };

/** Any thrown value in wire form. Never throws, whatever it is given. */
export function toFailure(thrown: unknown, depth = 1): Failure {
  if (typeof thrown === "string") return { name: "NonError", message: thrown.slice(0, limits.message) };
  if (!isError(thrown)) return { name: "NonError", message: `a task threw a value that is not an Error (${typeof thrown})` };
  const code = read(thrown, "code");
  const stack = read(thrown, "stack");
  const cause = read(thrown, "cause");
  return {
    name: textOf(read(thrown, "name")).slice(0, limits.name),
    message: textOf(read(thrown, "message")).slice(0, limits.message),
    ...(typeof code === "string" && { code: code.slice(0, limits.name) }),
    ...(typeof stack === "string" && { stack: stack.slice(0, limits.stack) }),
    ...(cause !== undefined && depth < limits.depth && { cause: toFailure(cause, depth + 1) }),
  };
}

/** `failure` with `cause` as its cause; the levels beyond the fifth are left out. */
export function withCause(failure: Failure, cause: Failure): Failure {
  return { ...failure, cause: upTo(limits.depth - 1, cause) };
}

function upTo(levels: number, { cause, ...failure }: Failure): Failure {
  return cause === undefined || levels === 1 ? failure : { ...failure, cause: upTo(levels - 1, cause) };
}

/** Longest failure that a message takes along, in characters of JSON. */
const longestCarried = 4096;

/**
 * `failure` as the message of the next attempt takes it along: whole if it is short, else without the stacks of its causes,
 * else without its causes, and its texts cut.
 */
export function carriedFailure(failure: Failure): Failure {
  if (isShort(failure)) return failure;
  const { name, code, cause } = failure;
  const cut: Failure = {
    name,
    message: failure.message.slice(0, 1000),
    ...(code !== undefined && { code }),
    ...(failure.stack !== undefined && { stack: failure.stack.slice(0, 2000) }),
  };
  if (cause === undefined) return cut;
  const withCauses = { ...cut, cause: withoutStacks(cause) };
  return isShort(withCauses) ? withCauses : cut;
}

function isShort(failure: Failure): boolean {
  return JSON.stringify(failure).length <= longestCarried;
}

function withoutStacks({ stack: _, cause, ...failure }: Failure): Failure {
  return cause === undefined ? failure : { ...failure, cause: withoutStacks(cause) };
}

/** Whether decoded `value` is a failure in wire form. */
export function isFailure(value: unknown, depth = 1): value is Failure {
  if (typeof value !== "object" || value === null || depth > limits.depth) return false;
  const { name, message, code, stack, cause } = value as Partial<Record<string, unknown>>;
  const isTextOrAbsent = (text: unknown) => text === undefined || typeof text === "string";
  return (
    typeof name === "string" &&
    typeof message === "string" &&
    isTextOrAbsent(code) &&
    isTextOrAbsent(stack) &&
    (cause === undefined || isFailure(cause, depth + 1))
  );
}

/** A decoded failure, no longer than one that is written. */
export function clippedFailure(failure: Failure): Failure {
  const { name, message, code, stack, cause } = failure;
  const fits =
    name.length <= limits.name &&
    message.length <= limits.message &&
    (code?.length ?? 0) <= limits.name &&
    (stack?.length ?? 0) <= limits.stack;
  const clippedCause = cause && clippedFailure(cause);
  if (fits && clippedCause === cause) return failure;
  return {
    name: clip(name, limits.name),
    message: clip(message, limits.message),
    ...(code !== undefined && { code: clip(code, limits.name) }),
    ...(stack !== undefined && { stack: clip(stack, limits.stack) }),
    ...(clippedCause !== undefined && { cause: clippedCause }),
  };
}

/** Of this realm or another. */
function isError(value: unknown): value is object {
  try {
    return value instanceof Error || types.isNativeError(value);
  } catch {
    return false;
  }
}

/** A property that may be a getter or behind a proxy, and throw. */
function read(error: object, property: string): unknown {
  try {
    return Reflect.get(error, property);
  } catch {
    return undefined;
  }
}

function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return `(${typeof value} without text)`;
  }
}

/** A failure as an Error to throw or log: name, message, code and remote stack of the original, but never its class. */
export class RemoteError extends Error {
  declare readonly code?: string;

  constructor(failure: Failure) {
    super(failure.message, failure.cause === undefined ? undefined : { cause: new RemoteError(failure.cause) });
    this.name = failure.name;
    if (failure.code !== undefined) this.code = failure.code;
    if (failure.stack !== undefined) this.stack = failure.stack;
  }
}

/** `failure` on one line: `TypeError: x is not a function`. */
export function describeFailure(failure: Failure): string {
  return `${failure.name}: ${failure.message}`;
}
