import { types } from "node:util";
import { clip } from "../errors/clip.js";
import { isSecretName, redacted, redactNamed } from "../errors/secret-names.js";
import { redactUrls } from "../errors/url-secrets.js";

/** What the fields of an error may hold: JSON. */
export type FieldValue = string | number | boolean | null | readonly FieldValue[] | FailureFields;

/** Fields of an error. */
export interface FailureFields {
  readonly [key: string]: FieldValue;
}

/** Most bytes of JSON, of characters of one text, of levels, and of keys and elements that are looked at. */
const limits = { bytes: 4096, text: 1000, depth: 4, keys: 100, key: 100 };

/** Keys that `decodeJson` may refuse, because copying them could change a prototype. */
const forbidden: ReadonlySet<string> = new Set(["__proto__", "constructor", "prototype"]);

/**
 * What `value` has as fields of its own, but for `except`, as far as JSON can carry it; `undefined` if nothing. Texts are cut, secrets that a name tells of and
 * the users and passwords of URLs are replaced, and what does not fit into 4 kB is left out, the largest first. Never throws.
 */
export function fieldsOf(value: object, except: ReadonlySet<string> = new Set()): FailureFields | undefined {
  const fields = recordOf(value, { left: limits.bytes - 2 }, [], except);
  return Object.keys(fields).length === 0 ? undefined : fields;
}

/** How many bytes may still be written. */
interface Room {
  left: number;
}

function recordOf(value: object, room: Room, ancestors: readonly object[], except: ReadonlySet<string> = new Set()): FailureFields {
  const entries: [string, unknown][] = [];
  for (const key of keysOf(value)) {
    if (key.length > limits.key || forbidden.has(key) || except.has(key)) continue;
    const field = read(value, key);
    if (isSecretName(key) && isTelling(field)) entries.push([key, redacted]);
    else entries.push([key, field]);
  }
  const fields: [string, FieldValue][] = [];
  // What is small and plain comes first, so that one large object hides nothing else.
  for (const [key, field] of [...entries.filter(([, field]) => !isObject(field)), ...entries.filter(([, field]) => isObject(field))]) {
    const json = fitted(field, room, bytesOf(key) + 2, [...ancestors, value]);
    if (json !== undefined) fields.push([key, json]);
  }
  return Object.fromEntries(fields);
}

function listOf(value: readonly unknown[], room: Room, ancestors: readonly object[]): readonly FieldValue[] {
  const list: FieldValue[] = [];
  for (let index = 0; index < Math.min(value.length, limits.keys); index++) {
    const json = fitted(read(value, String(index)) ?? null, room, 1, [...ancestors, value]);
    if (json !== undefined) list.push(json);
  }
  return list;
}

/** `value` as JSON, if it has a form there and there is room for it and the `more` bytes around it. */
function fitted(value: unknown, room: Room, more: number, ancestors: readonly object[]): FieldValue | undefined {
  if (!isObject(value)) {
    const json = plainOf(value);
    if (json === undefined) return undefined;
    const bytes = bytesOf(json) + more;
    if (bytes > room.left) return undefined;
    room.left -= bytes;
    return json;
  }
  if (ancestors.length >= limits.depth || ancestors.includes(value) || isOpaque(value)) return undefined;
  // Whatever stands behind it is to have a share.
  const inside: Room = { left: Math.floor((room.left * 3) / 4) - more - 2 };
  if (inside.left <= 0) return undefined;
  const before = inside.left;
  const json = Array.isArray(value) ? listOf(value, inside, ancestors) : recordOf(describable(value), inside, ancestors);
  if (before === inside.left && sizeOf(value) > 0) return undefined;
  room.left -= before - inside.left + more + 2;
  return json;
}

function plainOf(value: unknown): FieldValue | undefined {
  switch (typeof value) {
    case "string":
      return clip(redactNamed(redactUrls(value.slice(0, 2 * limits.text))), limits.text);
    case "number":
      // JSON has no -0.
      return Number.isFinite(value) ? value + 0 : undefined;
    case "boolean":
      return value;
    case "bigint":
      return clip(String(value), limits.text);
    default:
      return value === null ? null : undefined;
  }
}

/** An error within another has its text in properties that cannot be listed. */
function describable(value: object): object {
  if (!types.isNativeError(value)) return value;
  const own = Object.fromEntries(keysOf(value).map((key) => [key, read(value, key)]));
  return { name: read(value, "name"), message: read(value, "message"), ...own };
}

/** What has no fields of its own that would tell what it is, or whose fields are somebody's code. */
function isOpaque(value: object): boolean {
  return types.isProxy(value) || ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value) || types.isMap(value) || types.isSet(value);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && !types.isDate(value);
}

/** Whether the value of a field with a secret's name is one. */
function isTelling(value: unknown): boolean {
  return value !== undefined && value !== null && typeof value !== "boolean" && typeof value !== "function" && value !== "";
}

function sizeOf(value: object): number {
  return Array.isArray(value) ? value.length : keysOf(value).length;
}

function keysOf(value: object): readonly string[] {
  try {
    return types.isProxy(value) ? [] : Object.keys(value).slice(0, limits.keys);
  } catch {
    return [];
  }
}

/** A property that may be a getter, and throw; a date is its text. */
function read(value: object, key: string): unknown {
  try {
    const field: unknown = Reflect.get(value, key);
    return types.isDate(field) ? field.toISOString() : field;
  } catch {
    return undefined;
  }
}

function bytesOf(json: FieldValue): number {
  return Buffer.byteLength(JSON.stringify(json));
}
