import assert from "node:assert/strict";

/** Throws unless both are equal in depth. A property that is `undefined` is as good as none. */
export function equal(actual: unknown, expected: unknown): void {
  assert.deepEqual(defined(actual), defined(expected));
}

/** Throws unless `actual` has all that `expected` has, in depth; lists have the same length. */
export function matches(actual: unknown, expected: unknown): void {
  assert.deepEqual(defined(common(actual, expected)), defined(expected));
}

export function isTrue(value: boolean, what: string): void {
  assert.ok(value, what);
}

/** Throws unless `promise` rejects with an error that has the code. */
export async function rejects(promise: Promise<unknown>, code: string): Promise<void> {
  await assert.rejects(promise, (error: unknown) => {
    matches(error, { code });
    return true;
  });
}

/** `value` without the properties that are `undefined`. */
function defined(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(defined);
  if (!isPlainObject(value)) return value;
  const entries = Object.entries(value).filter(([, property]) => property !== undefined);
  return Object.fromEntries(entries.map(([name, property]) => [name, defined(property)]));
}

/** What of `actual` `expected` speaks of. */
function common(actual: unknown, expected: unknown): unknown {
  if (Array.isArray(expected)) return Array.isArray(actual) ? actual.map((item: unknown, at) => common(item, expected[at])) : actual;
  if (!isPlainObject(expected) || typeof actual !== "object" || actual === null) return actual;
  return Object.fromEntries(
    Object.entries(expected).map(([name, property]) => [name, common((actual as Record<string, unknown>)[name], property)]),
  );
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value) && Object.getPrototypeOf(value) === Object.prototype;
}
