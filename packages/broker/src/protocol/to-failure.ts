import { types } from "node:util";
import { BullrushError } from "../errors/error.js";
import { failureLimits as limits, note, noteOfCauses, RemoteError, type Failure } from "./failure.js";
import { fieldsOf } from "./failure-fields.js";
import { inspected } from "./inspected.js";
import { userStack } from "./stack-frames.js";
import { counted } from "../errors/words.js";

/** How a thrown value becomes a failure. */
export interface FailureOptions {
  /** Whether stacks keep the frames of Bullrush and of Node's internals. Default: false. */
  readonly fullStacks?: boolean | undefined;
}

/** Any thrown value in wire form. Never throws, whatever it is given. */
export function toFailure(thrown: unknown, { fullStacks = false }: FailureOptions = {}): Failure {
  return new Writing(fullStacks).failure(thrown, 1, false);
}

/** Causes that are counted where they are left out. */
const maxCounted = 100;

/** How much of a stack is looked through for the frames that it keeps, in characters: a message stands in front of it, of whatever length. */
const looked = 10 * limits.stack;

/** What an aggregate is known by has no place among its other fields. */
const standard: ReadonlySet<string> = new Set(["name", "message", "stack", "code", "cause"]);

class Writing {
  readonly #fullStacks: boolean;
  #partsLeft: number = limits.allParts;

  constructor(fullStacks: boolean) {
    this.#fullStacks = fullStacks;
  }

  failure(thrown: unknown, level: number, isPart: boolean): Failure {
    if (!isError(thrown)) return nonError(thrown, isPart);
    const code = read(thrown, "code");
    const stack = isPart ? undefined : read(thrown, "stack");
    const parts = partsOf(thrown);
    const errors = parts && this.#parts(parts, level);
    const fields = isPart ? undefined : ownFields(thrown, parts?.fields ?? []);
    const cause = this.#cause(thrown, level, isPart);
    return {
      name: nameOf(thrown).slice(0, limits.name),
      message: messageOf(thrown).slice(0, isPart ? limits.partMessage : limits.message),
      ...(isCode(code) && { code: typeof code === "string" ? code.slice(0, limits.name) : code }),
      ...(typeof stack === "string" && { stack: (this.#fullStacks ? stack : userStack(stack.slice(0, looked))).slice(0, limits.stack) }),
      ...(errors !== undefined && errors.length > 0 && { errors }),
      ...(fields !== undefined && { fields }),
      ...(cause !== undefined && { cause }),
    };
  }

  /** The last level of a chain that is deeper says so. */
  #cause(error: object, level: number, isPart: boolean): Failure | undefined {
    const cause = readable(error, "cause");
    if (cause === undefined || level >= limits.depth) return undefined;
    const behind = level === limits.depth - 1 ? chainFrom(cause) : [];
    if (behind.length < 2) return this.failure(cause, level + 1, isPart);
    const innermost = behind.at(-1);
    const isEndless = behind.length >= maxCounted || (isError(innermost) && readable(innermost, "cause") !== undefined);
    return noteOfCauses(isEndless ? [] : behind.map((each) => ({ name: nameOf(each), message: reasonOf(each) })), isEndless);
  }

  #parts({ first, count }: Parts, level: number): readonly Failure[] {
    if (count === 0) return [];
    if (level >= limits.depth) return [note(`${counted(count, "error was", "errors were")} left out`)];
    const written: Failure[] = [];
    for (const value of first) {
      if (this.#partsLeft <= 0) break;
      this.#partsLeft--;
      written.push(this.failure(value, level + 1, true));
    }
    const left = count - written.length;
    return left > 0 ? [...written, note(`${counted(left, "more error was", "more errors were")} left out`)] : written;
  }
}

/** `cause` and what is behind it, as far as it is looked at; nothing twice. */
function chainFrom(cause: unknown): readonly unknown[] {
  const chain = new Set<unknown>();
  for (let at = cause; at !== undefined && !chain.has(at) && chain.size < maxCounted;) {
    chain.add(at);
    at = isError(at) ? readable(at, "cause") : undefined;
  }
  return [...chain];
}

/** What an aggregate is made of. */
interface Parts {
  /** Those that are looked at. */
  readonly first: readonly unknown[];
  /** How many there are. */
  readonly count: number;
  /** The fields that hold them. */
  readonly fields: readonly string[];
}

/** What an error is made of; `undefined` of one that is no aggregate. */
function partsOf(error: object): Parts | undefined {
  const errors = read(error, "errors");
  if (isList(errors)) {
    const first = Array.from({ length: Math.min(errors.length, limits.parts) }, (_, index) => readable(errors, String(index)));
    if (nameOf(error) === "AggregateError" || first.some(isError)) return { first, count: errors.length, fields: ["errors"] };
  }
  if (nameOf(error) !== "SuppressedError") return undefined;
  const fields = ["error", "suppressed"];
  return { first: fields.map((field) => readable(error, field)), count: 2, fields };
}

function isList(value: unknown): value is readonly unknown[] {
  return !types.isProxy(value) && Array.isArray(value);
}

/** An error of ours has details that are in its message; one from elsewhere has the fields that it came with. */
function ownFields(error: object, parts: readonly string[]): Failure["fields"] {
  try {
    if (RemoteError.is(error)) {
      const fields = readable(error, "fields");
      return typeof fields === "object" && fields !== null ? fieldsOf(fields) : undefined;
    }
    if (error instanceof BullrushError) return undefined;
    return fieldsOf(error, new Set([...standard, ...parts]));
  } catch {
    return undefined;
  }
}

/** A value that is no error, as what it is; of an object, its own name, message and code. */
function nonError(thrown: unknown, isPart: boolean): Failure {
  const max = isPart ? limits.partMessage : limits.message;
  const { message, code } = inspected(thrown);
  return { name: "NonError", message: message.slice(0, max), ...(code !== undefined && { code }) };
}

/** Of this realm or another, or made by hand after their fashion. */
function isError(value: unknown): value is object {
  try {
    if (value instanceof Error || types.isNativeError(value)) return true;
    if (typeof value !== "object" || value === null || types.isProxy(value)) return false;
    return ["name", "message", "stack"].every((property) => typeof read(value, property) === "string");
  } catch {
    return false;
  }
}

function isCode(code: unknown): code is string | number {
  return typeof code === "string" || (typeof code === "number" && Number.isFinite(code));
}

const unreadable = Symbol("unreadable");

/** A property that may be a getter or behind a proxy, and throw. */
function read(error: object, property: string): unknown {
  try {
    return Reflect.get(error, property);
  } catch {
    return unreadable;
  }
}

/** A property; `undefined` if it cannot be read. */
function readable(error: object, property: string): unknown {
  const value = read(error, property);
  return value === unreadable ? undefined : value;
}

function nameOf(error: unknown): string {
  const name = typeof error === "object" && error !== null && isError(error) ? read(error, "name") : "NonError";
  // Without a prototype it has none.
  return name === unreadable || name === undefined ? "Error" : textOf(name);
}

function messageOf(error: object): string {
  const message = read(error, "message");
  return message === unreadable ? "(its message cannot be read)" : textOf(message);
}

function reasonOf(thrown: unknown): string {
  return isError(thrown) ? messageOf(thrown) : inspected(thrown).message;
}

function textOf(value: unknown): string {
  try {
    return String(value);
  } catch {
    return `(${typeof value} without text)`;
  }
}
