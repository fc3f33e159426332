import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { costOf } from "../../../../integration/lib/cost-of.js";
import { compileGlob, isGlob } from "../../src/routing/glob.js";

describe("compileGlob", () => {
  test.each([
    ["feeds.*", "feeds.import", true],
    ["feeds.*", "feeds.import.rss", true],
    ["feeds.*", "feeds.", true],
    ["feeds.*", "feeds", false],
    ["feeds.*", "myfeeds.import", false],
    ["*.import", "feeds.import", true],
    ["*.import", ".import", true],
    ["*.import", "import", false],
    ["*", "", true],
    ["*", "any.thing\nat all", true],
    ["**", "x", true],
    ["a*a", "a", false],
    ["a*a", "aa", true],
    ["a*b*c", "a.b.b.c", true],
    ["a*b*c", "a.c.b", false],
    ["*ab*ab*", "xabab", true],
    ["*ab*ab*", "xaba", false],
    ["tasks.add", "tasks.add", true],
    ["tasks.add", "tasks-add", false],
    ["", "", true],
    ["", "x", false],
  ])("%j on %j: %j", (pattern, name, expected) => {
    expect(compileGlob(pattern)(name)).toBe(expected);
  });

  test("no other character is special", () => {
    for (const pattern of ["a?c", "[a-c]", "a.c", "(a|b)", "^a$", "\\w", "{a,b}", "a+"]) {
      expect(compileGlob(pattern)(pattern)).toBe(true);
      expect(compileGlob(`${pattern}*`)(`${pattern}x`)).toBe(true);
    }
    for (const pattern of ["a?c", "[abc]bc", "a.c", "(abc|b)", "^abc$", "\\w*", "{abc,b}", "ab+c"]) {
      expect(compileGlob(pattern)("abc")).toBe(false);
    }
  });

  test("agrees with the naive definition", () => {
    const patterns = fc.string({ unit: fc.constantFrom("a", "b", ".", "*"), maxLength: 10 });
    const names = fc.string({ unit: fc.constantFrom("a", "b", "."), maxLength: 12 });
    fc.assert(
      fc.property(patterns, names, (pattern, name) => {
        expect(compileGlob(pattern)(name)).toBe(matchesText(pattern, name));
      }),
      { numRuns: 5000 },
    );
  });

  test("every name that is made from a pattern matches it", () => {
    const pieces = fc.array(fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 5 }), { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(pieces, pieces, (fixed, runs) => {
        const name = fixed.map((piece, index) => (index === 0 ? piece : (runs[index % runs.length] ?? "") + piece)).join("");
        expect(compileGlob(fixed.join("*"))(name)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });

  test.each([
    ["a star after each letter", `${"a*".repeat(5000)}b`, "a".repeat(10_000)],
    ["a star after each letter, then anything", `${"a*".repeat(5000)}b*`, "a".repeat(10_000)],
    ["a long piece that fails at its end", `*${"a".repeat(5000)}b*`, "a".repeat(10_000)],
    ["a long piece that fails at its beginning", `*b${"a".repeat(5000)}*`, "a".repeat(10_000)],
    ["a long piece that fails in its middle", `*${"a".repeat(2500)}b${"a".repeat(2500)}*`, "a".repeat(10_000)],
  ])("a 10 kB name takes no time to refuse: %s", (_, pattern, name) => {
    const matches = compileGlob(pattern);
    expect(costOf(() => expect(matches(name)).toBe(false))).toBeLessThan(100);
  });
});

test("isGlob", () => {
  expect(isGlob("feeds.*")).toBe(true);
  expect(isGlob("feeds.?")).toBe(false);
});

function matchesText(pattern: string, name: string): boolean {
  if (pattern === "") return name === "";
  if (pattern[0] === "*") return matchesText(pattern.slice(1), name) || (name !== "" && matchesText(pattern, name.slice(1)));
  return pattern[0] === name[0] && matchesText(pattern.slice(1), name.slice(1));
}
