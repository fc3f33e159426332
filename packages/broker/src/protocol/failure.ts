import { errorCodes } from "../errors/error.js";
import { clip } from "../errors/clip.js";
import type { FailureFields } from "./failure-fields.js";

/**
 * An error in wire form. It is plain data for good: the reading side shows it and never revives a class by its name
 * (a stored name that picks a constructor is how Celery came to CVE-2021-23727).
 */
export interface Failure {
  /** The error's class name, such as `"TypeError"`; `"NonError"` of a thrown value that is no error; `"Note"` where something was left out. At most 200 characters. */
  readonly name: string;
  /** At most 10,000 characters; 1,000 of a part of an aggregate. */
  readonly message: string;
  /** The code of an error that has one, such as `"ENCODE_ERROR"`, `"ENOENT"` or `14`; at most 200 characters. */
  readonly code?: string | number;
  /** The stack where it was thrown, without the frames of Bullrush and of Node's internals; at most 20,000 characters. */
  readonly stack?: string;
  /** What caused it; at most five levels, the last of which is a note if there were more. */
  readonly cause?: Failure;
  /** The parts of an aggregate, without stacks: at most ten, and a note if there were more. */
  readonly errors?: readonly Failure[];
  /** What else the error had as fields of its own, as far as JSON can carry it: at most 4 kB, secrets by their names and logins in URLs replaced by `***`. */
  readonly fields?: FailureFields;
}

/** Longest texts in characters, most levels of causes and of parts within parts, most parts of one aggregate, and most parts in all. */
export const failureLimits = {
  name: 200,
  message: 10_000,
  stack: 20_000,
  partMessage: 1000,
  depth: 5,
  parts: 10,
  allParts: 50,
} as const;

/** A failure that says what was left out. */
export function note(message: string): Failure {
  return { name: "Note", message };
}

/** What stands for `causes`, outermost first, where there is no room for all of them. `more`: whether there are others behind them. */
export function noteOfCauses(causes: readonly Failure[], more = false): Failure {
  const innermost = causes.at(-1);
  if (more || innermost === undefined) return note("more causes were left out");
  if (innermost.name === "Note") return innermost;
  return note(`${causes.length} more causes were left out, the innermost of which is ${clip(named(innermost), failureLimits.partMessage)}`);
}

/** `failure` with `cause` as its cause; of the levels beyond the fifth, the last tells. */
export function withCause(failure: Failure, cause: Failure): Failure {
  return { ...failure, cause: upTo(failureLimits.depth - 1, cause) };
}

function upTo(levels: number, failure: Failure): Failure {
  const { cause, ...alone } = failure;
  if (cause === undefined) return failure;
  if (levels > 2 || cause.cause === undefined) return levels > 1 ? { ...failure, cause: upTo(levels - 1, cause) } : alone;
  return { ...failure, cause: noteOfCauses(causesOf(failure)) };
}

/** The causes of `failure`, outermost first. */
function causesOf({ cause }: Failure): readonly Failure[] {
  return cause === undefined ? [] : [cause, ...causesOf(cause)];
}

const mark = Symbol.for("bullrush.remote-error");

/** A failure as an Error to throw or log: name, message, code, remote stack, causes, parts and fields of the original, but never its class. */
export class RemoteError extends Error {
  declare readonly code?: string | number;
  /** The parts of an aggregate. */
  declare readonly errors?: readonly RemoteError[];
  /** What else the original had as fields of its own, such as `status`. */
  declare readonly fields?: FailureFields;

  constructor(failure: Failure) {
    super(failure.message, failure.cause === undefined ? undefined : { cause: new RemoteError(failure.cause) });
    this.name = failure.name;
    if (failure.code !== undefined) this.code = failure.code;
    // Where this object was made says nothing of where it was thrown.
    this.stack = failure.stack ?? String(this);
    if (failure.errors !== undefined) this.errors = failure.errors.map((part) => new RemoteError(part));
    if (failure.fields !== undefined) this.fields = failure.fields;
  }

  /** Whether `error` is one, of whichever copy of this package. */
  static is(error: object): boolean {
    return mark in error;
  }

  /** @internal */
  get [mark](): true {
    return true;
  }
}

/** Longest reason of a cause or a part in a description, in characters; and most parts that it names. */
const inner = { reason: 300, parts: 3 };

const ours: ReadonlySet<string | number> = new Set(errorCodes);

/**
 * `failure` on one line, down to the innermost reason: `TypeError: fetch failed: connect ECONNREFUSED 127.0.0.1:1`. An error of Bullrush names
 * its reason itself.
 */
export function describeFailure(failure: Failure): string {
  return described(failure, named(failure) + partsOf(failure, failure.message));
}

/** As `describeFailure`, without the name of the outermost error: `fetch failed: connect ECONNREFUSED 127.0.0.1:1`. */
export function failureReason(failure: Failure): string {
  return described(failure, reasonOf(failure));
}

/** `text`, what `failure` says, and behind it what its causes say that is not in there yet. */
function described(failure: Failure, text: string): string {
  for (let at: Failure | undefined = failure; at?.cause !== undefined && !isOurs(at); at = at.cause) {
    const reason = clip(reasonOf(at.cause), inner.reason);
    if (!says(text, reason)) text += `: ${reason}`;
  }
  return text;
}

/** Whether `reason` stands in `text`, not as a part of words. */
function says(text: string, reason: string): boolean {
  const at = text.indexOf(reason);
  return at !== -1 && !/\w/.test(text.charAt(at - 1)) && !/\w/.test(text.charAt(at + reason.length));
}

function isOurs({ code }: Failure): boolean {
  return code !== undefined && ours.has(code);
}

function named({ name, message }: Failure): string {
  return message === "" ? name : `${name}: ${message}`;
}

function reasonOf(failure: Failure): string {
  const { message, code, name } = failure;
  const parts = partsOf(failure, message);
  if (message !== "") return message + parts;
  return parts === "" ? String(code ?? name) : parts.slice(2);
}

/** What the parts say, behind a colon, but for what `said` says already; "" if there are none. */
function partsOf({ errors = [] }: Failure, said: string): string {
  const shown = errors.slice(0, inner.parts).map((part) => clip(reasonOf(part), inner.reason));
  const reasons = [...new Set(shown)].filter((reason) => !says(said, reason));
  if (reasons.length === 0) return "";
  return `: ${reasons.join("; ")}${errors.length > inner.parts ? "; …" : ""}`;
}
