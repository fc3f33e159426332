import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { isPlainObject } from "../../src/json/is-plain-object.js";

test.each<[object, boolean]>([
  [{}, true],
  [{ constructor: Date }, true],
  [Object.create(null) as object, true],
  [runInNewContext("({})") as object, true],
  [JSON.parse('{ "__proto__": {} }') as object, true],
  [new Date(0), false],
  [new Map(), false],
  [[], false],
  [new URL("http://localhost"), false],
  [Object.create({}) as object, false],
  [runInNewContext("new Date(0)") as object, false],
])("%#: whether %o is plain: %j", (value, expected) => {
  expect(isPlainObject(value)).toBe(expected);
});
