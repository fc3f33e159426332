import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { costOf } from "../../../../integration/lib/cost-of.js";
import { compileBindingKey, isExchangeName, isExchangeType } from "../../src/routing/exchange.js";

describe("direct and fanout", () => {
  test("direct takes the same key only", () => {
    const accepts = compileBindingKey("direct", "feeds.*");
    expect(accepts("feeds.*")).toBe(true);
    expect(accepts("feeds.import")).toBe(false);
    expect(accepts("")).toBe(false);
  });

  test("fanout takes every key", () => {
    const accepts = compileBindingKey("fanout", "feeds");
    expect(["feeds", "other", ""].every(accepts)).toBe(true);
  });
});

describe("topic", () => {
  test.each([
    ["*.orange.*", "quick.orange.rabbit", true],
    ["*.orange.*", "lazy.orange.elephant", true],
    ["*.orange.*", "quick.brown.fox", false],
    ["*.orange.*", "orange", false],
    ["*.orange.*", "quick.orange.new.rabbit", false],
    ["lazy.#", "lazy.orange.new.rabbit", true],
    ["lazy.#", "lazy", true],
    ["lazy.#", "lazyness", false],
    ["#.rabbit", "rabbit", true],
    ["#.rabbit", "a.b.rabbit", true],
    ["a.#.b", "a.b", true],
    ["a.#.b", "a.x.b.y.b", true],
    ["a.#.b", "a.x.b.y", false],
    ["#.#", "", true],
    ["#", "a.b.c", true],
    ["#.*", "", false],
    ["#.*.#", "a", true],
    ["*", "", false],
    ["*", "a", true],
    ["*.*", "a.", true],
    ["", "", true],
    ["", "a", false],
    ["feeds.import", "feeds.import", true],
    ["feeds.import", "feeds.imports", false],
    ["a.b.a", "a.b.a", true],
    ["a*.#b", "a*.#b", true],
    ["a*", "ab", false],
  ])("%j on %j: %j", (bindingKey, routingKey, expected) => {
    expect(compileBindingKey("topic", bindingKey)(routingKey)).toBe(expected);
  });

  test("agrees with the naive definition", () => {
    const word = fc.constantFrom("a", "b", "", "c", "*", "#");
    const fitting = (part: string) =>
      part === "#" ? fc.array(word, { maxLength: 2 }) : part === "*" ? word.map((any) => [any]) : fc.constant([part]);
    const pairs = fc.array(fc.constantFrom("a", "b", "", "*", "#"), { maxLength: 7 }).chain((binding) => {
      const matching = fc.tuple(...binding.map(fitting)).map((parts) => parts.flat());
      return fc.record({ binding: fc.constant(binding), key: fc.oneof(matching, fc.array(word, { maxLength: 7 })) });
    });
    fc.assert(
      fc.property(pairs, ({ binding, key }) => {
        const [bindingKey, routingKey] = [binding.join("."), key.join(".")];
        expect(compileBindingKey("topic", bindingKey)(routingKey)).toBe(matchesWords(wordsOf(bindingKey), wordsOf(routingKey)));
      }),
      { numRuns: 2000 },
    );
  });

  test.each([
    ["many #", `${"#.a.".repeat(2500)}b`, `${"a.".repeat(5000)}a`],
    ["one # before a long tail", `#.${"a.".repeat(5000)}b`, `${"a.".repeat(5000)}a`],
    ["# and * in turn", `${"*.#.".repeat(2500)}b`, `${"a.".repeat(5000)}a`],
    ["only dots", `#.${"*.".repeat(5000)}b`, ".".repeat(10_000)],
  ])("a 10 kB key takes no time to refuse: %s", (_, bindingKey, routingKey) => {
    const accepts = compileBindingKey("topic", bindingKey);
    expect(costOf(() => expect(accepts(routingKey)).toBe(false))).toBeLessThan(100);
  });
});

test("names and types", () => {
  expect(["direct", "topic", "fanout"].every(isExchangeType)).toBe(true);
  expect(["headers", "", undefined, "toString"].some(isExchangeType)).toBe(false);
  expect(isExchangeName("feeds")).toBe(true);
  expect(["", undefined, null, 1].some(isExchangeName)).toBe(false);
});

function wordsOf(key: string): string[] {
  return key === "" ? [] : key.split(".");
}

function matchesWords([expected, ...binding]: string[], key: string[]): boolean {
  if (expected === undefined) return key.length === 0;
  if (expected === "#") return matchesWords(binding, key) || (key.length > 0 && matchesWords([expected, ...binding], key.slice(1)));
  return key.length > 0 && (expected === "*" || expected === key[0]) && matchesWords(binding, key.slice(1));
}
