import * as fc from "fast-check";
import { afterEach, describe, expect, test } from "vitest";
import { decodeJson, encodeJson } from "../../src/json/json.js";
import { canary, errorOf } from "../protocol/support.js";

const encode = (value: unknown) => encodeJson(value, "the result");
const decode = (text: string) => decodeJson(text, "the message");

afterEach(() => {
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  expect(Object.keys(Object.prototype)).toEqual([]);
});

describe("JSON that could change a prototype", () => {
  test.each([
    [`{ "__proto__": { "polluted": "${canary}" } }`],
    [`[1, { "a": [{ "__proto__": { "polluted": "${canary}" } }] }]`],
    [`{ "__proto__": "${canary}" }`],
    [`{ "__proto__": null, "a": "${canary}" }`],
    [`{ "\\u005f_proto__": { "polluted": "${canary}" } }`],
    [`{ "_\\u005Fproto\\u005f_": { "polluted": "${canary}" } }`],
    [`{ "\\u005f\\u005f\\u0070\\u0072\\u006f\\u0074\\u006f\\u005f\\u005f": { "polluted": "${canary}" } }`],
    [`{ "__proto__"\n\t: { "polluted": "${canary}" } }`],
    [`{ "a": "\\"__proto__\\": 1", "__proto__": { "polluted": "${canary}" } }`],
    [`{ "constructor": { "prototype": { "polluted": "${canary}" } } }`],
    [`{ "a": { "\\u0063onstructor": { "\\u0070rototype": { "polluted": "${canary}" } } } }`],
  ])("is refused: %s", (text) => {
    expect(errorOf(() => decode(text))).toMatchObject({
      code: "DECODE_ERROR",
      message: "the message cannot be decoded: it is not JSON, or has a forbidden key",
    });
  });

  test("is refused however the key is written, and however deep it is", () => {
    const letters = Array.from("__proto__").map((letter) =>
      fc.constantFrom(letter, `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`),
    );
    fc.assert(
      fc.property(fc.tuple(...letters), fc.nat({ max: 200 }), (key, depth) => {
        const text = `${'{ "a": ['.repeat(depth)}{ "${key.join("")}": { "polluted": 1 } }${"] }".repeat(depth)}`;
        expect(errorOf(() => decode(text))).toMatchObject({ code: "DECODE_ERROR" });
      }),
    );
  });

  test.each([
    ['{ "a": "__proto__" }', { a: "__proto__" }],
    ['{ "proto": 1, "__proto": 2 }', { proto: 1, __proto: 2 }],
    ['{ "a": "\\"__proto__\\":" }', { a: '"__proto__":' }],
    ['{ "constructor": "Ford", "prototype": 1 }', { constructor: "Ford", prototype: 1 }],
  ])("is not mistaken for other JSON: %s", (text, expected) => {
    expect(decode(text)).toStrictEqual(expected);
  });

  test("is never what was encoded here", () => {
    const keys = fc.constantFrom("__proto__", "constructor", "prototype", "a");
    const hostile = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.integer(),
        fc.array(tie("value"), { maxLength: 3 }),
        fc.dictionary(keys, tie("value"), { maxKeys: 3 }),
      ),
    }));
    fc.assert(
      fc.property(hostile.value, (value) => {
        let text: string | undefined;
        try {
          text = encode(value);
        } catch (error) {
          expect(error).toMatchObject({ code: "ENCODE_ERROR" });
          return;
        }
        expect(() => decode(text ?? "null")).not.toThrow();
      }),
      { numRuns: 2000 },
    );
  });
});

describe("what is not JSON", () => {
  test.each([
    [""],
    [" "],
    ["{"],
    ["undefined"],
    ["NaN"],
    [`{ a: "${canary}" }`],
    [`"${canary}`],
    [`{"a":1}${canary}`],
    [`'${canary}'`],
    ["01"],
    ["[1,]"],
  ])("is refused: %s", (text) => {
    expect(errorOf(() => decode(text))).toMatchObject({ code: "DECODE_ERROR", details: { what: "the message" } });
  });

  test("throws nothing but DECODE_ERROR, whatever it is", () => {
    fc.assert(
      fc.property(
        fc.oneof(fc.string(), fc.string({ unit: fc.constantFrom("{", "}", "[", "]", '"', ":", ",", "1", "\\", "u") })),
        (text) => {
          try {
            decode(text);
          } catch (error) {
            expect(error).toMatchObject({ code: "DECODE_ERROR" });
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe("deep nesting", () => {
  const nested = (depth: number) => `${"[".repeat(depth)}${"]".repeat(depth)}`;
  const built = (depth: number): unknown => {
    let value: unknown = canary;
    for (let level = 0; level < depth; level++) value = level % 2 === 0 ? [value] : { a: value };
    return value;
  };

  test("is carried down to 500 levels", () => {
    expect(decode(encode(built(500)) ?? "")).toStrictEqual(built(500));
  });

  test.each([501, 5000, 500_000])("of %d levels is refused, without a stack overflow", (depth) => {
    expect(errorOf(() => encode(built(depth)))).toMatchObject({
      code: "ENCODE_ERROR",
      details: { reason: "it is nested deeper than 500 levels" },
    });
  });

  test("that comes in is read without a stack overflow, and cannot be sent on", () => {
    for (const text of [nested(200_000), `{"constructor":1,"a":${nested(200_000)}}`]) {
      const value = decode(text);
      expect(errorOf(() => encode(value))).toMatchObject({ code: "ENCODE_ERROR" });
    }
  });
});
