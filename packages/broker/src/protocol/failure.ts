/**
 * An error in wire form. It is plain data for good: the reading side shows it and never revives a class by its name
 * (a stored name that picks a constructor is how Celery came to CVE-2021-23727).
 */
export interface Failure {
  /** The error's class name, such as `"TypeError"`. */
  readonly name: string;
  /** At most 10,000 characters. */
  readonly message: string;
  /** The stable code of an error that has one, such as `"ENCODE_ERROR"` or `"ENOENT"`. */
  readonly code?: string;
  /** The stack where it was thrown; at most 20,000 characters. */
  readonly stack?: string;
  /** What caused it; at most five levels. */
  readonly cause?: Failure;
}

const limits = { message: 10_000, stack: 20_000, depth: 5 };

/** Any thrown value in wire form. Never throws, whatever it is given. */
export function toFailure(thrown: unknown, depth = 1): Failure {
  if (!(thrown instanceof Error)) {
    return { name: "NonError", message: `a task threw a value that is not an Error (${typeof thrown})` };
  }
  const code: unknown = "code" in thrown ? thrown.code : undefined;
  return {
    name: String(thrown.name),
    message: String(thrown.message).slice(0, limits.message),
    ...(typeof code === "string" && { code }),
    ...(typeof thrown.stack === "string" && { stack: thrown.stack.slice(0, limits.stack) }),
    ...(thrown.cause !== undefined && depth < limits.depth && { cause: toFailure(thrown.cause, depth + 1) }),
  };
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
