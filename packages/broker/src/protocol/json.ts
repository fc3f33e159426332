import { parse } from "secure-json-parse";
import { BullrushError } from "../error.js";
import { isPlain } from "../plain.js";

/**
 * `value` as JSON, or `undefined` for `undefined`. Throws `ENCODE_ERROR`, naming the place, for whatever JSON would change silently: BigInt, NaN and
 * infinities, functions, symbols, Date, Map, Set and other class instances, cycles, holes and `undefined` in arrays, a `__proto__` key. Properties
 * that are `undefined` are left out, as in `JSON.stringify`; `-0` becomes `0`.
 * @param what what the error calls the value, such as `"argument of tasks.add"`
 */
export function encodeJson(value: unknown, what: string): string | undefined {
  if (value === undefined) return undefined;
  const found = findFlaw(value, new Set());
  if (found !== undefined) throw new BullrushError("ENCODE_ERROR", { what, path: `$${found.path}`, reason: found.reason });
  return JSON.stringify(value);
}

/** The value of JSON `text`. Throws `DECODE_ERROR` for what is not JSON, or carries a key that could change a prototype. */
export function decodeJson(text: string, what: string): unknown {
  try {
    return parse(text, undefined, { protoAction: "error", constructorAction: "error" });
  } catch {
    // The parser's own message quotes the text, which is somebody's payload.
    throw new BullrushError("DECODE_ERROR", { what, reason: "it is not JSON, or has a forbidden key" });
  }
}

const deepest = 500;

/** Why a value cannot be sent, and where in it: the path grows from the inside out, so that sound values cost no strings. */
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
  const found = Array.isArray(value) ? findFlawInArray(value, ancestors) : findFlawInRecord(value, ancestors);
  ancestors.delete(value);
  return found;
}

function findFlawInArray(array: readonly unknown[], ancestors: Set<object>): Flaw | undefined {
  for (let index = 0; index < array.length; index++) {
    const found = findFlaw(array[index], ancestors);
    if (found !== undefined) return { reason: found.reason, path: `[${index}]${found.path}` };
  }
  return undefined;
}

function findFlawInRecord(record: object, ancestors: Set<object>): Flaw | undefined {
  if (!isPlain(record)) return flaw(`a ${className(record)} would lose its class`);
  for (const [key, property] of Object.entries(record)) {
    if (property === undefined) continue;
    const found = key === "__proto__" ? flaw("this key is forbidden") : findFlaw(property, ancestors);
    if (found !== undefined) return { reason: found.reason, path: `.${key}${found.path}` };
  }
  return undefined;
}

function flaw(reason: string): Flaw {
  return { reason, path: "" };
}

function className(value: object): string {
  const { constructor } = value;
  return typeof constructor === "function" && constructor.name !== "" ? constructor.name : "class instance";
}
