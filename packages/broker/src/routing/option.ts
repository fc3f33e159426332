import { BullrushError } from "../errors/error.js";
import { isPlainObject } from "../json/is-plain-object.js";
import { indefinite } from "../errors/words.js";

/** Throws `INVALID_OPTION`, saying that `option` is `got` where `expected` was to be. */
export function refuse(option: string, got: string, expected: string, cause?: unknown): never {
  throw new BullrushError("INVALID_OPTION", { option, got, expected }, cause === undefined ? undefined : { cause });
}

/** `value` as an error may show it: strings quoted and cut at 80 characters, of objects only the kind. */
export function describe(value: unknown): string {
  switch (typeof value) {
    case "string":
      return JSON.stringify(value.length > 80 ? `${value.slice(0, 79)}…` : value);
    case "object":
      return value === null ? "null" : Array.isArray(value) ? "an array" : describeKind(value);
    case "function":
    case "symbol":
      return indefinite(typeof value);
    default:
      return String(value);
  }
}

function describeKind(value: object): string {
  if (isPlainObject(value)) return "an object";
  const kind = Object.prototype.toString.call(value).slice("[object ".length, -1);
  return kind === "Object" ? "an instance of a class" : indefinite(kind);
}

/** The own entries of the plain object `given`; throws `INVALID_OPTION` for anything else, a class instance or a Map included. */
export function entriesOf(given: unknown, option: string, expected: string): (readonly [key: string, value: unknown])[] {
  if (typeof given !== "object" || given === null || Array.isArray(given) || !isPlainObject(given)) {
    return refuse(option, describe(given), expected);
  }
  return Object.entries(given);
}

/**
 * The fields of the plain object `given` that are not `undefined`. Throws `INVALID_OPTION` if it is something else, and for a key that is
 * not one of `keys`, so that a misspelt option is never silently without effect.
 */
export function fieldsOf<K extends string>(given: unknown, option: string, keys: readonly K[], expected: string): ReadonlyMap<K, unknown> {
  const fields = new Map<K, unknown>();
  for (const [key, value] of entriesOf(given, option, expected)) {
    const known = keys.find((candidate) => candidate === key);
    if (known === undefined) return refuse(`${option}.${key}`, "no option", `one of ${keys.join(", ")}`);
    if (value !== undefined) fields.set(known, value);
  }
  return fields;
}
