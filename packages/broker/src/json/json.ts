import { parse } from "secure-json-parse";
import { BullrushError } from "../errors/error.js";
import { isPlainObject } from "./is-plain-object.js";
import { indefinite } from "../errors/words.js";

/**
 * `value` as JSON, or `undefined` for `undefined`. Throws `ENCODE_ERROR`, naming the place, for
 * anything that JSON would change silently: BigInt, NaN and infinities, functions, symbols, Date,
 * Map, Set and other class instances, cycles, holes and `undefined` in arrays, unreadable
 * properties, and keys that `decodeJson` refuses. Leaves out properties that are `undefined`, as
 * `JSON.stringify` does, and properties that an array has beside its elements; `-0` becomes `0`.
 * @param what what the error calls the value, such as `"argument of tasks.add"`
 */
export function encodeJson(value: unknown, what: string): string | undefined {
  if (value === undefined) return undefined;
  const error = encodeErrorOf(value, what);
  if (error !== undefined) throw error;
  try {
    return JSON.stringify(value);
  } catch {
    throw new BullrushError("ENCODE_ERROR", { what, path: "$", reason: "it changes while it is read, or is too long for a string" });
  }
}

/**
 * The error that `encodeJson` would throw for `value`; `undefined` if there is none. Never throws.
 */
export function encodeErrorOf(value: unknown, what: string): BullrushError | undefined {
  if (value === undefined) return undefined;
  const found = findFlaw(value, new Set());
  return found && new BullrushError("ENCODE_ERROR", { what, path: `$${found.path}`, reason: found.reason });
}

/**
 * The value of JSON `text`. Throws `DECODE_ERROR` for text that is not JSON or has a key that could
 * change a prototype.
 */
export function decodeJson(text: string, what: string): unknown {
  try {
    return parse(text, undefined, { protoAction: "error", constructorAction: "error" });
  } catch {
    // The parser's own message quotes the text, which is a payload.
    throw new BullrushError("DECODE_ERROR", { what, reason: "it is not JSON, or has a forbidden key" });
  }
}

const deepest = 500;

/**
 * Why a value cannot be sent, and where in it. The path is built from the inside out, so that valid
 * values cost no strings.
 */
interface Flaw {
  readonly reason: string;
  readonly path: string;
}

function findFlaw(value: unknown, ancestors: Set<object>): Flaw | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
      return undefined;
    case "number":
      return Number.isFinite(value) ? undefined : flaw(`${value} has no JSON form`);
    case "object":
      return value === null ? undefined : findFlawInside(value, ancestors);
    case "undefined":
      return flaw("undefined would become null");
    default:
      return flaw(`a ${typeof value} has no JSON form`);
  }
}

function findFlawInside(value: object, ancestors: Set<object>): Flaw | undefined {
  if (ancestors.has(value)) return flaw("it contains itself");
  if (ancestors.size >= deepest) return flaw(`it is nested deeper than ${deepest} levels`);
  ancestors.add(value);
  try {
    return findFlawIn(value, ancestors);
  } catch {
    // An error of a getter or a proxy belongs to the caller, and may quote what it guards.
    return flaw("reading a property of it throws an error");
  } finally {
    ancestors.delete(value);
  }
}

function findFlawIn(value: object, ancestors: Set<object>): Flaw | undefined {
  const isArray = Array.isArray(value);
  if (!(isArray ? isPlainArray(value) : isPlainObject(value))) return flaw(`${indefinite(className(value))} would lose its class`);
  if ("toJSON" in value && typeof value.toJSON === "function") return flaw("its toJSON method would replace it");
  return isArray ? findFlawInArray(value, ancestors) : findFlawInRecord(value, ancestors);
}

function findFlawInArray(array: readonly unknown[], ancestors: Set<object>): Flaw | undefined {
  for (let index = 0; index < array.length; index++) {
    const found = findFlaw(array[index], ancestors);
    if (found !== undefined) return { reason: found.reason, path: `[${index}]${found.path}` };
  }
  return undefined;
}

function findFlawInRecord(record: object, ancestors: Set<object>): Flaw | undefined {
  if (Object.getOwnPropertySymbols(record).length > 0) return flaw("a key that is a symbol has no JSON form");
  for (const key of Object.keys(record)) {
    const found = findFlawInProperty(record, key, ancestors);
    if (found !== undefined) return { reason: found.reason, path: `.${key}${found.path}` };
  }
  return undefined;
}

function findFlawInProperty(record: object, key: string, ancestors: Set<object>): Flaw | undefined {
  const property: unknown = (record as Record<string, unknown>)[key];
  if (property === undefined) return undefined;
  return isForbidden(key, property) ? flaw("this key is forbidden") : findFlaw(property, ancestors);
}

/** Whether `decodeJson` would refuse the property, because copying it could change a prototype. */
function isForbidden(key: string, property: unknown): boolean {
  return (
    key === "__proto__" ||
    (key === "constructor" && typeof property === "object" && property !== null && Object.hasOwn(property, "prototype"))
  );
}

/** `Array.prototype`, of whatever realm, is an array; the prototype of a subclass is not. */
function isPlainArray(array: readonly unknown[]): boolean {
  return Array.isArray(Object.getPrototypeOf(array));
}

function flaw(reason: string): Flaw {
  return { reason, path: "" };
}

function className(value: object): string {
  const { constructor } = value;
  const name: unknown = typeof constructor === "function" ? constructor.name : undefined;
  return typeof name === "string" && name !== "" ? name : "class instance";
}
