/**
 * Whether a value that came out of JSON is what JSON carries of `expected`. Matchers of Jest and
 * Vitest, such as `expect.any(String)`, may stand anywhere in it.
 */
export function matches(actual: unknown, expected: unknown): boolean {
  if (isMatcher(expected)) return expected.asymmetricMatch(actual);
  if (Array.isArray(expected)) {
    return Array.isArray(actual) && actual.length === expected.length && expected.every((one, index) => matches(actual[index], one));
  }
  if (isRecord(expected) && isRecord(actual)) {
    const keys = Object.keys(expected).filter((key) => expected[key] !== undefined);
    return (
      keys.length === Object.keys(actual).length && keys.every((key) => Object.hasOwn(actual, key) && matches(actual[key], expected[key]))
    );
  }
  return actual === expected;
}

interface Matcher {
  asymmetricMatch(actual: unknown): boolean;
}

function isMatcher(value: unknown): value is Matcher {
  return isRecord(value) && typeof value["asymmetricMatch"] === "function";
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
