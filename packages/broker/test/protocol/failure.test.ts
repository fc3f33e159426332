import { runInNewContext } from "node:vm";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BullrushError } from "../../src/error.js";
import { carriedFailure, describeFailure, isFailure, RemoteError, toFailure, withCause, type Failure } from "../../src/protocol/failure.js";

const wired = (thrown: unknown) => JSON.parse(JSON.stringify(toFailure(thrown))) as Failure;

/** A failure of so many levels. */
const deep = (levels: number) => {
  let failure: Failure = { name: "E", message: "m" };
  for (let level = 1; level < levels; level++) failure = { name: "E", message: "m", cause: failure };
  return failure;
};

describe("an error in wire form", () => {
  test("keeps name, message, stack, code and causes", () => {
    const root = Object.assign(new RangeError("too far"), { code: "ERANGE" });
    const error = new TypeError("not a number", { cause: root });
    expect(wired(error)).toEqual({
      name: "TypeError",
      message: "not a number",
      stack: error.stack,
      cause: { name: "RangeError", message: "too far", code: "ERANGE", stack: root.stack },
    });
  });

  test("keeps the code of an error of ours, and not its details", () => {
    expect(wired(new BullrushError("APP_CLOSED", { app: "shop" }))).toMatchObject({ name: "BullrushError", code: "APP_CLOSED" });
    expect(wired(new BullrushError("APP_CLOSED", { app: "shop" }))).not.toHaveProperty("details");
  });

  test("leaves out a code that is no text, and whatever else the error carries", () => {
    const error = Object.assign(new Error("no"), { code: 42, request: { password: "x" } });
    expect(Object.keys(wired(error)).toSorted()).toEqual(["message", "name", "stack"]);
  });

  test("keeps a name that was given, and one of another realm", () => {
    expect(wired(Object.assign(new Error("no"), { name: "PaymentRefused" })).name).toBe("PaymentRefused");
    expect(wired(runInNewContext("new SyntaxError('elsewhere')"))).toMatchObject({ name: "SyntaxError", message: "elsewhere" });
  });

  test("is cut to its limits", () => {
    const error = Object.assign(new Error("m".repeat(20_000)), { name: "n".repeat(300), code: "c".repeat(300), stack: "s".repeat(30_000) });
    const { name, message, code, stack } = toFailure(error);
    expect([name, message, code, stack].map((text) => text?.length)).toEqual([200, 10_000, 200, 20_000]);
  });

  test("keeps five levels of causes, also of a cause that causes itself", () => {
    const depthOf = ({ cause }: Failure): number => (cause === undefined ? 1 : 1 + depthOf(cause));
    const chain = Array.from({ length: 9 }).reduce<Error>((cause, _, level) => new Error(`${level}`, { cause }), new Error("root"));
    expect(depthOf(wired(chain))).toBe(5);
    const itself = new Error("itself");
    itself.cause = itself;
    expect(depthOf(wired(itself))).toBe(5);
    expect(depthOf(wired(new Error("no cause", { cause: undefined })))).toBe(1);
  });

  test("a string that was thrown is the message", () => {
    expect(toFailure("text")).toEqual({ name: "NonError", message: "text" });
  });

  test.each([[undefined], [null], [42], [{ message: "no" }], [Symbol("no")], [() => "no"], [Object.create(null)]])(
    "says of %o only that it is no Error",
    (thrown) => {
      expect(toFailure(thrown)).toEqual({ name: "NonError", message: `a task threw a value that is not an Error (${typeof thrown})` });
    },
  );
});

describe("whatever is thrown, its wire form is made without throwing", () => {
  const bomb = () => {
    throw new Error("bomb");
  };
  const trap = { get: bomb, getPrototypeOf: bomb, has: bomb, ownKeys: bomb, getOwnPropertyDescriptor: bomb };
  const { proxy: revoked, revoke } = Proxy.revocable(new Error("x"), {});
  revoke();
  const withGetters = (...properties: string[]) =>
    Object.defineProperties(new Error("sound"), Object.fromEntries(properties.map((property) => [property, { get: bomb }])));

  test.each<[string, () => unknown, Partial<Failure>]>([
    ["a getter for the message", () => withGetters("message"), { name: "Error", message: "undefined" }],
    ["a getter for the stack", () => withGetters("stack"), { name: "Error", message: "sound" }],
    ["getters for all", () => withGetters("stack", "name", "message", "code", "cause"), { name: "undefined" }],
    ["a proxy with traps", () => new Proxy(new Error("x"), trap), { name: "NonError" }],
    ["a proxy that hides its properties", () => new Proxy(new Error("x"), { get: bomb }), { name: "undefined" }],
    ["a revoked proxy", () => revoked, { name: "NonError" }],
    ["a message that is a number", () => Object.assign(new Error("x"), { message: 42 }), { message: "42" }],
    ["a message that is undefined", () => Object.assign(new Error("x"), { message: undefined }), { message: "undefined" }],
    ["a message without text", () => Object.assign(new Error("x"), { message: Object.create(null) }), { message: "(object without text)" }],
    [
      "a message whose text throws",
      () => Object.assign(new Error("x"), { message: { toString: bomb } }),
      { message: "(object without text)" },
    ],
    ["a name that is a symbol", () => Object.assign(new Error("x"), { name: Symbol("n") }), { name: "Symbol(n)" }],
    ["an error without a prototype", () => Object.setPrototypeOf(new Error("bare"), null), { message: "bare" }],
    [
      "a cause that is a bomb",
      () => new Error("x", { cause: new Proxy({}, trap) }),
      { message: "x", cause: { name: "NonError", message: expect.any(String) } },
    ],
  ])("%s", (_, make, expected) => {
    const failure = toFailure(make());
    expect(failure).toMatchObject(expected);
    expect(isFailure(JSON.parse(JSON.stringify(failure)))).toBe(true);
  });

  test("anything", () => {
    const properties = fc.dictionary(fc.constantFrom("name", "message", "stack", "code", "cause"), fc.anything());
    fc.assert(
      fc.property(
        fc.oneof(
          fc.anything(),
          properties.map((given) => Object.assign(new Error("x"), given)),
        ),
        (thrown) => {
          const failure = toFailure(thrown);
          expect(isFailure(failure)).toBe(true);
          expect(wired(thrown)).toEqual(failure);
        },
      ),
      { numRuns: 1000 },
    );
  });
});

describe("RemoteError", () => {
  test("has name, message, stack, code and causes of the original, and none of its classes", () => {
    const original = new TypeError("not a number", { cause: Object.assign(new RangeError("too far"), { code: "ERANGE" }) });
    const remote = new RemoteError(wired(original));
    expect(remote).toMatchObject({ name: "TypeError", message: "not a number", stack: original.stack });
    expect(remote).not.toHaveProperty("code");
    expect(remote.cause).toMatchObject({ name: "RangeError", message: "too far", code: "ERANGE" });
    expect(String(remote)).toBe("TypeError: not a number");
    expect(remote).toBeInstanceOf(RemoteError);
    expect(remote).toBeInstanceOf(Error);
    expect(remote).not.toBeInstanceOf(TypeError);
    expect(remote.cause).not.toBeInstanceOf(RangeError);
  });

  test.each(["BullrushError", "Function", "process", "__proto__", "constructor"])("never becomes what it is called: %s", (name) => {
    const remote = new RemoteError({ name, message: "x" });
    expect(remote.name).toBe(name);
    expect(Object.getPrototypeOf(remote)).toBe(RemoteError.prototype);
    expect(remote).not.toBeInstanceOf(BullrushError);
  });

  test("that is thrown again keeps its wire form", () => {
    const failure = wired(new TypeError("not a number", { cause: Object.assign(new Error("x"), { code: "E" }) }));
    expect(wired(new RemoteError(failure))).toEqual(failure);
  });
});

test("a failure on one line", () => {
  expect(describeFailure(toFailure(new TypeError("not a number")))).toBe("TypeError: not a number");
});

describe("isFailure", () => {
  test.each<[unknown, boolean]>([
    [{ name: "E", message: "m" }, true],
    [{ name: "E", message: "m", code: "C", stack: "s", cause: { name: "E", message: "" }, more: 1 }, true],
    [deep(5), true],
    [deep(6), false],
    [{ name: "E" }, false],
    [{ message: "m" }, false],
    [{ name: 1, message: "m" }, false],
    [{ name: "E", message: "m", code: 1 }, false],
    [{ name: "E", message: "m", stack: ["s"] }, false],
    [{ name: "E", message: "m", cause: null }, false],
    [{ name: "E", message: "m", cause: "x" }, false],
    ["E: m", false],
    [null, false],
  ])("%#: %j", (value, expected) => {
    expect(isFailure(value)).toBe(expected);
  });

  test("does not follow causes for ever", () => {
    expect(isFailure(deep(100_000))).toBe(false);
  });
});

describe("a failure behind another", () => {
  const top = { name: "E", message: "top" };

  test("is its cause, down to the fifth level in all, which is as deep as failures are read", () => {
    expect(withCause(top, deep(2))).toEqual({ ...top, cause: deep(2) });
    expect(withCause(top, deep(4))).toEqual({ ...top, cause: deep(4) });
    expect(withCause(top, deep(5))).toEqual({ ...top, cause: deep(4) });
  });

  test("goes along as it is while it is short, else cut to what names it and its causes", () => {
    const short = { ...top, stack: "s".repeat(3000), cause: deep(3) };
    expect(carriedFailure(short)).toEqual(short);
    const long = { name: "E", message: "m".repeat(5000), code: "C", stack: "s".repeat(5000) };
    const cut = { name: "E", message: "m".repeat(1000), code: "C", stack: "s".repeat(2000) };
    expect(carriedFailure(long)).toEqual(cut);
    const caused = { name: "F", message: "why", cause: { name: "G", message: "and why" } };
    expect(carriedFailure({ ...long, cause: withCause({ ...caused, stack: "s".repeat(5000) }, caused.cause) })).toEqual({
      ...cut,
      cause: caused,
    });
    expect(carriedFailure({ ...long, cause: { ...caused, message: "m".repeat(2000) } })).toEqual(cut);
  });
});
