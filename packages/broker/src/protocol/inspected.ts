import { inspect, types } from "node:util";
import { isPlainObject } from "../json/is-plain-object.js";
import { fieldsOf } from "./failure-fields.js";

/** What a thrown value that is no error says. */
export interface Inspected {
  readonly message: string;
  readonly code?: string | number;
}

const asData = {
  depth: 5,
  breakLength: Infinity,
  compact: true,
  customInspect: false,
  maxArrayLength: 100,
  maxStringLength: 1000,
} as const;

/** A thrown value that is no error, as what it is. Never throws; the secrets that an object names are left out. */
export function inspected(thrown: unknown): Inspected {
  try {
    return typeof thrown === "object" && thrown !== null ? inspectedObject(thrown) : { message: textOf(thrown) };
  } catch {
    return { message: `a value that cannot be shown (${typeof thrown})` };
  }
}

function textOf(thrown: unknown): string {
  switch (typeof thrown) {
    case "string":
      return thrown === "" ? "an empty string" : thrown;
    case "bigint":
      return `${thrown}n`;
    case "function":
      return types.isProxy(thrown) ? "[Proxy]" : `[Function: ${thrown.name === "" ? "anonymous" : thrown.name.slice(0, 200)}]`;
    default:
      return String(thrown);
  }
}

function inspectedObject(thrown: object): Inspected {
  if (types.isProxy(thrown)) return { message: "[Proxy]" };
  if (!isRecord(thrown)) return { message: inspect(thrown, { ...asData, depth: 1 }) };
  const { message, code } = thrown as { readonly message?: unknown; readonly code?: unknown };
  const hasMessage = typeof message === "string" && message !== "";
  const hasCode = typeof code === "string" || (typeof code === "number" && Number.isFinite(code));
  const fields = fieldsOf(thrown, new Set([...(hasMessage ? ["message"] : []), ...(hasCode ? ["code"] : [])]));
  const rest = fields === undefined ? "" : inspect(fields, asData);
  const text = hasMessage ? [message, rest].filter((part) => part !== "").join(" ") : `${className(thrown)}${rest === "" ? "{}" : rest}`;
  return { message: text, ...(hasCode && { code: typeof code === "string" ? code.slice(0, 200) : code }) };
}

/** Whether its fields say what it is. */
function isRecord(value: object): boolean {
  return !(
    Array.isArray(value) ||
    types.isMap(value) ||
    types.isSet(value) ||
    types.isDate(value) ||
    types.isRegExp(value) ||
    types.isBoxedPrimitive(value) ||
    types.isPromise(value) ||
    ArrayBuffer.isView(value) ||
    types.isAnyArrayBuffer(value)
  );
}

function className(value: object): string {
  if (isPlainObject(value)) return "";
  const { constructor } = value;
  return typeof constructor === "function" && constructor.name !== "" ? `${constructor.name} ` : "";
}
