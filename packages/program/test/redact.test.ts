import { describe, expect, it } from "vitest";
import { redact } from "../src/redact.js";

describe("redact", () => {
  it.each([
    ["redis://:secret@host", "redis://***@host"],
    ["redis://user:secret@host:6379/1", "redis://***@host:6379/1"],
    ["REDISS://u:se/cr@et@host is down", "REDISS://***@host is down"],
    ["unknown option '--brokr=redis://u:secret@h'", "unknown option '--brokr=redis://***@h'"],
    ["redis://a:secret@h and redis://b:secret@h", "redis://***@h and redis://***@h"],
    ["valkeys://u:se/cr@et@host is down", "valkeys://***@host is down"],
    ["redis+socket://u:se/cr@et@/run/redis.sock", "redis+socket://***@/run/redis.sock"],
    ["unix://:se/cret@/run/redis.sock", "unix://***@/run/redis.sock"],
    ["postgres://u:secret@db/x", "postgres://***@db/x"],
    ["http://u:secret@a,ftp://v:secret@b/c@d", "http://***@a,ftp://***@b/c@d"],
    ["http://a/,ftp://v:secret@b/c@d", "http://a/,ftp://***@b/c@d"],
    ["amqp://u:secret@a/ redis://:secret@b", "amqp://***@a/ redis://***@b"],
    ["expected redis://[user:password@]host, got redis://u:secret@h", "expected redis://[user:password@]host, got redis://***@h"],
  ])("%s: without user and password", (text, shown) => {
    expect(redact(text)).toBe(shown);
  });

  it.each([
    "redis://host:6379/1",
    "expected redis://[user:password@]host[:port][/database]",
    "write redis://:***@cache/1 with the password encoded",
    "write redis://ann:***@cache/1 with the password encoded",
    "Cannot find package '@scope/name' imported from file:///app/@scope/tasks.ts",
    "a@b",
    "://a@b",
    "https://example.org/@name",
    "",
  ])("%j: unchanged", (text) => {
    expect(redact(text)).toBe(text);
  });

  it.each(["redis://", "://", "a.", "redis://x@y ", "!://u@h/", "http://u@", "a://b@c/", "redis://[user:password@]", "@", "x"])(
    "%j, repeated: reads each character a bounded number of times",
    (piece) => {
      for (const length of [100_000, 1_000_000]) {
        const text = piece.repeat(Math.ceil(length / piece.length));
        expect(readsDuring(() => redact(text))).toBeLessThan(10 * text.length);
      }
    },
  );
});

/**
 * How many characters the methods of strings and regular expressions look at while `call` runs, at
 * most.
 */
function readsDuring(call: () => void): number {
  let reads = 0;
  const costs: Readonly<Record<string, (text: string, result: unknown, ...args: unknown[]) => number>> = {
    indexOf: (text, at, _, from = 0) => (at === -1 ? text.length : (at as number)) - (from as number) + 1,
    lastIndexOf: (text, at) => text.length - (at as number),
    includes: (text) => text.length,
    slice: (_, part) => (part as string).length,
    // Any other expression may look at a character more than once.
    replace: (text, _, pattern) => (String(pattern) === "/\\S+/g" ? text.length : Infinity),
  };
  const strings = String.prototype as unknown as Record<string, (...args: unknown[]) => unknown>;
  const originals = Object.keys(costs).map((name) => [name, strings[name]!] as const);
  const expressions: { test: (text: string) => boolean } = RegExp.prototype;
  const test = expressions.test;
  for (const [name, original] of originals) {
    strings[name] = function (this: string, ...args) {
      const result = original.apply(this, args);
      reads += costs[name]!(this, result, ...args);
      return result;
    };
  }
  expressions.test = function (text) {
    reads += text.length;
    return test.call(this, text);
  };
  try {
    call();
  } finally {
    expressions.test = test;
    for (const [name, original] of originals) strings[name] = original;
  }
  return reads;
}
