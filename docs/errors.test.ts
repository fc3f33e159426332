import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { errorCodes } from "../packages/broker/src/errors/error.js";
import { pages, root } from "./playing/pages.js";

const text = readFileSync(join(root, "docs/errors.md"), "utf8");
const described = Array.from(text.matchAll(/^### (.*)\n\n(.*)/gm), ([, code = "", first = ""]) => ({ code, first }));

test("every code of the registry is described, and no other", () => {
  expect(described.map(({ code }) => code).toSorted()).toEqual(errorCodes.toSorted());
});

test("every description: has text", () => {
  expect(described.filter(({ first }) => first.length < 40)).toEqual([]);
});

test.each(pages)("the codes that %s names are codes", (page) => {
  const names = Array.from(readFileSync(join(root, page), "utf8").matchAll(/`([A-Z]{2,}(?:_[A-Z]+)+)`/g), ([, name = ""]) => name);
  const others = /^(BULLRUSH_\w+|ERR_\w+|NO_COLOR|FORCE_COLOR)$/;
  expect(names.filter((name) => !others.test(name) && !errorCodes.some((code) => code === name))).toEqual([]);
});
