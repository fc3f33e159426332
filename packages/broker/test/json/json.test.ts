import { deepStrictEqual } from "node:assert/strict";
import { runInNewContext } from "node:vm";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeJson, encodeJson } from "../../src/json/json.js";
import { asJson, canary, errorOf, jsonValues } from "../protocol/support.js";

const encode = (value: unknown) => encodeJson(value, "the result");
const decode = (text: string) => decodeJson(text, "the message");

describe("what JSON can carry", () => {
  test("comes back deeply equal, but for -0", () => {
    fc.assert(
      fc.property(jsonValues, (value) => {
        expect(decode(encode(value) ?? "")).toStrictEqual(asJson(value));
      }),
      { numRuns: 2000 },
    );
  });

  test("comes back in any script, with every sort of character", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: "binary" }), fc.string({ unit: "binary" })), (value) => {
        fc.pre(!Object.hasOwn(value, "__proto__"));
        expect(decode(encode(value) ?? "")).toStrictEqual({ ...value });
      }),
      { numRuns: 200 },
    );
    expect(decode(encode("\ud800 alone") ?? "")).toBe("\ud800 alone");
  });

  test.each<[string, unknown, unknown]>([
    ["-0", -0, 0],
    ["a property that is undefined", { a: 1, b: undefined }, { a: 1 }],
    ["an object without a prototype", Object.assign(Object.create(null), { a: 1 }), { a: 1 }],
    ["an object of another realm", runInNewContext("({ a: [1] })"), { a: [1] }],
    ["an array of another realm", runInNewContext("[[1], { a: 2 }]"), [[1], { a: 2 }]],
    ["a key that is called like an array's", { length: 3, 0: "a" }, { 0: "a", length: 3 }],
    ["keys that only look special", { prototype: 1, constructor: 2, toString: 3, hasOwnProperty: 4 }, undefined],
    ["a constructor that is an object", { constructor: { name: "A" } }, undefined],
    ["a toJSON that is no function", { toJSON: "yes" }, undefined],
    [
      "a getter",
      {
        get a() {
          return [1];
        },
      },
      { a: [1] },
    ],
  ])("%s is carried", (_, value, expected) => {
    deepStrictEqual(decode(encode(value) ?? ""), expected ?? value);
  });

  test("undefined is nothing", () => {
    expect(encode(undefined)).toBeUndefined();
  });

  test("the same object in several places is no cycle", () => {
    const shared = { a: [1] };
    const value = { left: shared, right: [shared, shared, { again: shared }] };
    expect(decode(encode(value) ?? "")).toStrictEqual({ left: shared, right: [shared, shared, { again: shared }] });
  });
});

describe("what JSON would change silently", () => {
  class Money {
    amount = canary;
  }
  class Unnamed {
    amount = canary;
    static get name(): string {
      throw new Error(canary);
    }
  }
  class Rows extends Array<number> {}
  const itself: { list: unknown[] } = { list: [] };
  itself.list.push({ back: itself });
  const longArray: unknown[] = [];
  longArray[3] = 1;

  test.each<[string, unknown, string, string]>([
    ["BigInt", { a: [1n] }, "$.a[0]", "a bigint has no JSON form"],
    ["NaN", [1, Number.NaN], "$[1]", "NaN has no JSON form"],
    ["infinity", { a: { b: Number.POSITIVE_INFINITY } }, "$.a.b", "Infinity has no JSON form"],
    ["minus infinity", Number.NEGATIVE_INFINITY, "$", "-Infinity has no JSON form"],
    ["a function", { run: () => canary }, "$.run", "a function has no JSON form"],
    ["a class", [Money], "$[0]", "a function has no JSON form"],
    ["a symbol", { a: Symbol(canary) }, "$.a", "a symbol has no JSON form"],
    ["a key that is a symbol", { a: { [Symbol(canary)]: 1 } }, "$.a", "a key that is a symbol has no JSON form"],
    ["undefined in an array", [0, undefined], "$[1]", "undefined would become null"],
    ["a hole", longArray, "$[0]", "undefined would become null"],
    ["Date", { at: new Date(0) }, "$.at", "a Date would lose its class"],
    ["Map", { a: new Map([[1, canary]]) }, "$.a", "a Map would lose its class"],
    ["Set", [new Set([canary])], "$[0]", "a Set would lose its class"],
    ["RegExp", /canary/, "$", "a RegExp would lose its class"],
    ["Error", { error: new TypeError(canary) }, "$.error", "a TypeError would lose its class"],
    ["Promise", Promise.resolve(canary), "$", "a Promise would lose its class"],
    ["a class instance", { price: new Money() }, "$.price", "a Money would lose its class"],
    ["an array of a class of its own", { rows: Rows.of(1, 2) }, "$.rows", "a Rows would lose its class"],
    ["an object that inherits", Object.create({ a: canary }), "$", "an Object would lose its class"],
    ["a boxed string", { a: new String(canary) }, "$.a", "a String would lose its class"],
    ["a boxed number", [new Number(1)], "$[0]", "a Number would lose its class"],
    ["a typed array", { bytes: new Uint8Array(2) }, "$.bytes", "a Uint8Array would lose its class"],
    ["Buffer", Buffer.from(canary), "$", "a Buffer would lose its class"],
    ["ArrayBuffer", [new ArrayBuffer(2)], "$[0]", "an ArrayBuffer would lose its class"],
    ["URL", { url: new URL("http://localhost/canary") }, "$.url", "a URL would lose its class"],
    ["a cycle", itself, "$.list[0].back", "it contains itself"],
    ["a toJSON method", { a: { toJSON: () => canary } }, "$.a", "its toJSON method would replace it"],
    ["a hidden toJSON method", Object.defineProperty({}, "toJSON", { value: () => canary }), "$", "its toJSON method would replace it"],
    ["an array with a toJSON method", Object.assign([1], { toJSON: () => canary }), "$", "its toJSON method would replace it"],
    ["an own key __proto__", { a: JSON.parse('{ "__proto__": { "polluted": 1 } }') }, "$.a.__proto__", "this key is forbidden"],
    ["a constructor with a prototype", { constructor: { prototype: { polluted: 1 } } }, "$.constructor", "this key is forbidden"],
  ])("%s is refused, and its place named", (_, value, path, reason) => {
    expect(errorOf(() => encode(value))).toMatchObject({
      code: "ENCODE_ERROR",
      message: `the result cannot be sent as JSON: ${reason} at ${path}`,
      details: { what: "the result", path, reason },
    });
  });

  test.each<[string, unknown, string]>([
    [
      "a getter that throws",
      {
        a: {
          get b() {
            throw new Error(canary);
          },
        },
      },
      "$.a",
    ],
    [
      "a getter that throws something odd",
      [
        {
          get b() {
            throw Object.create(null);
          },
        },
      ],
      "$[0]",
    ],
    [
      "a proxy that throws",
      {
        a: new Proxy(
          {},
          {
            ownKeys: () => {
              throw new Error(canary);
            },
          },
        ),
      },
      "$.a",
    ],
    ["a revoked proxy", { a: revokedProxy() }, "$.a"],
    [
      "a class whose name cannot be read",
      {
        a: new Unnamed(),
      },
      "$.a",
    ],
  ])("%s is refused, and its place named", (_, value, path) => {
    expect(errorOf(() => encode(value))).toMatchObject({ code: "ENCODE_ERROR", details: { path } });
  });

  test("a value that changes between two looks is refused", () => {
    let looks = 0;
    expect(
      errorOf(() =>
        encode({
          get a() {
            return looks++ === 0 ? 1 : 1n;
          },
        }),
      ),
    ).toMatchObject({ code: "ENCODE_ERROR" });
  });

  test("anything at all comes back equal or is refused", () => {
    const anything = fc.anything({
      key: fc.oneof(fc.string(), fc.constantFrom("__proto__", "constructor", "prototype", "toJSON", "length")),
      withBigInt: true,
      withBoxedValues: true,
      withDate: true,
      withMap: true,
      withNullPrototype: true,
      withSet: true,
      withSparseArray: true,
      withTypedArray: true,
    });
    let carried = 0;
    fc.assert(
      fc.property(anything, (value) => {
        const text = attempt(() => encode(value));
        if (text === undefined) return;
        carried++;
        deepStrictEqual(decode(text), asJson(value));
      }),
      { numRuns: 3000 },
    );
    expect(carried).toBeGreaterThan(100);
  });
});

/** What `run` gives, and `undefined` when it throws `ENCODE_ERROR`. */
function attempt<T>(run: () => T): T | undefined {
  try {
    return run();
  } catch (error) {
    expect(error).toMatchObject({ code: "ENCODE_ERROR" });
    return undefined;
  }
}

function revokedProxy(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}
