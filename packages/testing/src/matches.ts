import { isDeepStrictEqual } from "node:util";

/** Whether a value that came out of JSON is `expected`, or what JSON makes of that. Matchers of Jest and Vitest, such as `expect.any(String)`, may stand anywhere in it. */
export function matches(actual: unknown, expected: unknown): boolean {
  if (isMatcher(expected)) return expected.asymmetricMatch(actual);
  if (Array.isArray(expected)) {
    return Array.isArray(actual) && actual.length === expected.length && expected.every((one, index) => matches(actual[index], one));
  }
  if (isPlain(expected) && isPlain(actual)) {
    const keys = Object.keys(expected).filter((key) => expected[key] !== undefined);
    return keys.length === Object.keys(actual).length && keys.every((key) => key in actual && matches(actual[key], expected[key]));
  }
  return isDeepStrictEqual(actual, asJson(expected));
}

/** What comes out of JSON for `value`; `value` itself if JSON cannot carry it. */
function asJson(value: unknown): unknown {
  try {
    return JSON.parse(JSON.stringify(value) ?? "null");
  } catch {
    return value;
  }
}

interface Matcher {
  asymmetricMatch(actual: unknown): boolean;
}

function isMatcher(value: unknown): value is Matcher {
  return typeof value === "object" && value !== null && "asymmetricMatch" in value && typeof value.asymmetricMatch === "function";
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
