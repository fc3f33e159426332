import { runInNewContext } from "node:vm";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BullrushError } from "../../src/errors/error.js";
import { carriedFailure } from "../../src/protocol/carried-failure.js";
import { describeFailure, RemoteError, withCause, type Failure } from "../../src/protocol/failure.js";
import { clippedFailure, isFailure } from "../../src/protocol/stored-failure.js";
import { toFailure } from "../../src/protocol/to-failure.js";

const wired = (thrown: unknown) => JSON.parse(JSON.stringify(toFailure(thrown))) as Failure;

class Refusal {
  get left(): number {
    return 1;
  }
}

const depthOf = ({ cause }: Failure): number => (cause === undefined ? 1 : 1 + depthOf(cause));
const lastOf = (failure: Failure): Failure => (failure.cause === undefined ? failure : lastOf(failure.cause));

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

  test("keeps a code that is a number, and no code that is neither that nor text", () => {
    expect(wired(Object.assign(new Error("no"), { code: 42 })).code).toBe(42);
    for (const code of [NaN, Infinity, {}, null, true, 1n])
      expect(wired(Object.assign(new Error("no"), { code }))).not.toHaveProperty("code");
  });

  test("keeps a name that was given, and one of another realm", () => {
    expect(wired(Object.assign(new Error("no"), { name: "PaymentRefused" })).name).toBe("PaymentRefused");
    expect(wired(runInNewContext("new SyntaxError('elsewhere')"))).toMatchObject({ name: "SyntaxError", message: "elsewhere" });
  });

  test("without a prototype is an Error", () => {
    expect(toFailure(Object.setPrototypeOf(new Error("out of range"), null))).toMatchObject({ name: "Error", message: "out of range" });
  });

  test("is cut to its limits", () => {
    const error = Object.assign(new Error("m".repeat(20_000)), { name: "n".repeat(300), code: "c".repeat(300), stack: "s".repeat(30_000) });
    const { name, message, code, stack } = toFailure(error);
    expect([name, message, String(code), stack].map((text) => text?.length)).toEqual([200, 10_000, 200, 20_000]);
  });

  test("keeps five levels of causes; of more, the fifth is a note that tells the innermost", () => {
    const chainOf = (levels: number) =>
      Array.from({ length: levels }).reduce<Error>((cause, _, level) => new Error(`${level}`, { cause }), new RangeError("root"));
    expect(lastOf(wired(chainOf(4)))).toMatchObject({ name: "RangeError", message: "root" });
    expect(depthOf(wired(chainOf(4)))).toBe(5);
    expect(depthOf(wired(chainOf(9)))).toBe(5);
    expect(lastOf(wired(chainOf(9)))).toEqual({
      name: "Note",
      message: "6 more causes were left out, the innermost of which is RangeError: root",
    });
    expect(lastOf(wired(chainOf(100_000)))).toEqual({ name: "Note", message: "more causes were left out" });
    const itself = new Error("itself");
    itself.cause = itself;
    expect(depthOf(wired(itself))).toBe(5);
    expect(depthOf(wired(new Error("no cause", { cause: undefined })))).toBe(1);
  });

  test("a string that was thrown is the message", () => {
    expect(toFailure("text")).toEqual({ name: "NonError", message: "text" });
  });

  test.each<[unknown, string, (string | number)?]>([
    ["", "an empty string"],
    [undefined, "undefined"],
    [null, "null"],
    [42, "42"],
    [-0, "0"],
    [42n, "42n"],
    [false, "false"],
    [Symbol("no"), "Symbol(no)"],
    [function no() {}, "[Function: no]"],
    [() => "no", "[Function: anonymous]"],
    [Object.create(null), "{}"],
    [{}, "{}"],
    [{ message: "no" }, "no"],
    [{ message: "no", code: "E_NO", status: 503 }, "no { status: 503 }", "E_NO"],
    [{ code: 7, at: { host: "a", password: "s3cret" } }, "{ at: { host: 'a', password: '***' } }", 7],
    [new Refusal(), "Refusal {}"],
    [Object.assign(new Refusal(), { right: 1 }), "Refusal { right: 1 }"],
    [["a", 1], "[ 'a', 1 ]"],
    [new Map([["a", 1]]), "Map(1) { 'a' => 1 }"],
    [new Date(0), "1970-01-01T00:00:00.000Z"],
    [new Proxy({ message: "no" }, {}), "[Proxy]"],
    [new Proxy(() => {}, {}), "[Proxy]"],
  ])("%o is shown as what it is", (thrown, message, code) => {
    expect(toFailure(thrown)).toEqual({ name: "NonError", message, ...(code !== undefined && { code }) });
  });

  test("one that looks like an error, as one that was copied does, is taken as one", () => {
    const copied = { name: "AxiosError", message: "no", stack: "AxiosError: no\n    at a.js:1:1", status: 503 };
    const { status, ...named } = copied;
    expect(toFailure(copied)).toEqual({ ...named, fields: { status } });
  });
});

describe("an aggregate in wire form", () => {
  const part = (message: string, more?: object) => Object.assign(new Error(message), more);

  test("has the name, message and code of each part, and their causes; no stacks", () => {
    const error = new AggregateError(
      [part("a", { code: "EA" }), new TypeError("b", { cause: part("c", { code: 3 }) }), "text"],
      "all failed",
    );
    expect(wired(error)).toEqual({
      name: "AggregateError",
      message: "all failed",
      stack: expect.any(String) as string,
      errors: [
        { name: "Error", message: "a", code: "EA" },
        { name: "TypeError", message: "b", cause: { name: "Error", message: "c", code: 3 } },
        { name: "NonError", message: "text" },
      ],
    });
  });

  test("of Promise.any, as a cause, and within another", async () => {
    const rejected = await Promise.any([Promise.reject(part("a")), Promise.reject(part("b"))]).catch((error: unknown) => error);
    const errors = [{ message: "a" }, { message: "b" }];
    expect(wired(rejected)).toMatchObject({ name: "AggregateError", errors });
    expect(wired(new Error("no", { cause: rejected }))).toMatchObject({ message: "no", cause: { errors } });
    expect(wired(new AggregateError([rejected]))).toMatchObject({ errors: [{ name: "AggregateError", errors }] });
  });

  test("of a SuppressedError has both errors", () => {
    const polyfilled = Object.assign(new Error("suppressed"), { name: "SuppressedError", error: part("late"), suppressed: part("early") });
    expect(wired(polyfilled)).toMatchObject({ name: "SuppressedError", errors: [{ message: "late" }, { message: "early" }] });
    expect(wired(polyfilled)).not.toHaveProperty("fields");
  });

  test("is bounded: ten parts and a note, short texts, and fifty parts in all", () => {
    const many = Array.from({ length: 1000 }, (_, index) => part(`${index}${"x".repeat(5000)}`));
    const { errors = [] } = wired(new AggregateError(many));
    expect(errors).toHaveLength(11);
    expect(errors[0]?.message).toHaveLength(1000);
    expect(errors.at(-1)).toEqual({ name: "Note", message: "990 more errors were left out" });
    const nested = Array.from({ length: 4 }).reduce<Error>(
      (inner) => new AggregateError(Array(10).fill(inner), "x".repeat(5000)),
      many[0]!,
    );
    const failure = wired(nested);
    expect(isFailure(failure)).toBe(true);
    expect(JSON.stringify(failure).length).toBeLessThan(200_000);
    const sparse = Object.assign(new AggregateError([]), { errors: Array(4_000_000_000) });
    expect(wired(sparse).errors?.at(-1)?.message).toBe("3999999990 more errors were left out");
  });

  test("that contains itself ends", () => {
    const itself = new AggregateError([]);
    itself.errors.push(itself, itself);
    expect(isFailure(wired(itself))).toBe(true);
  });

  test("a list of anything else under `errors` is a field", () => {
    expect(wired(part("invalid", { errors: ["name is missing"] }))).toMatchObject({ fields: { errors: ["name is missing"] } });
  });
});

describe("the fields of an error", () => {
  const fieldsOf = (fields: object) => wired(Object.assign(new Error("no"), fields)).fields;

  test("go along as JSON: what has no form there is left out", () => {
    const when = new Date(0);
    expect(
      fieldsOf({
        status: 503,
        errno: -111,
        retry: true,
        none: null,
        when,
        big: 5n,
        run: () => 1,
        at: Symbol("x"),
        odd: NaN,
        not: undefined,
      }),
    ).toEqual({ status: 503, errno: -111, retry: true, none: null, when: "1970-01-01T00:00:00.000Z", big: "5" });
    expect(fieldsOf({ response: { id: "r1", data: [1, { a: null }] } })).toEqual({ response: { id: "r1", data: [1, { a: null }] } });
    expect(fieldsOf({ original: new TypeError("inner") })).toEqual({ original: { name: "TypeError", message: "inner" } });
    expect(wired(new Error("no"))).not.toHaveProperty("fields");
  });

  test("lack what is secret by its name, also in a text", () => {
    const secrets = {
      password: "p1",
      apiKey: "p2",
      "X-Api-Key": "p3",
      accessToken: "p4",
      client_secret: "p5",
      Cookie: ["p6"],
      max_tokens: 9,
    };
    const headers = { Authorization: "Bearer p7", accept: "x" };
    const fields = fieldsOf({ ...secrets, config: { headers, url: "https://a.example/?token=p8&b=1", proxy: "http://u:p9@proxy:3128" } });
    expect(JSON.stringify(fields)).not.toMatch(/p[1-9]/);
    expect(fields).toMatchObject({
      password: "***",
      Cookie: "***",
      max_tokens: 9,
      config: { headers: { Authorization: "***", accept: "x" }, url: "https://a.example/?token=***&b=1", proxy: "http://***@proxy:3128" },
    });
  });

  test("are at most 4 kB, and a large one hides no small one", () => {
    const fields = fieldsOf({
      request: { body: Array(500).fill("x".repeat(900)) },
      status: 503,
      note: "y".repeat(5000),
      response: { id: "r1" },
    });
    expect(Buffer.byteLength(JSON.stringify(fields))).toBeLessThanOrEqual(4096);
    expect(fields).toMatchObject({ status: 503, response: { id: "r1" } });
    expect(fields?.["note"]).toHaveLength(1000);
    expect(
      Buffer.byteLength(JSON.stringify(fieldsOf(Object.fromEntries(Array.from({ length: 5000 }, (_, key) => [`k${key}`, "ü"]))))),
    ).toBeLessThan(4096);
  });

  test("may contain themselves, throw, and have keys that are refused when they are read", () => {
    const self: Record<string, unknown> = { status: 1 };
    self["self"] = self;
    expect(fieldsOf(self)).toMatchObject({ status: 1 });
    const bomb = {
      get: () => {
        throw new Error("bomb");
      },
      enumerable: true,
    };
    expect(wired(Object.defineProperties(new Error("no"), { bomb, status: { value: 2, enumerable: true } })).fields).toEqual({ status: 2 });
    expect(fieldsOf({ inner: JSON.parse('{"__proto__":{"a":1},"constructor":{"prototype":{}},"b":2}') as object })).toEqual({
      inner: { b: 2 },
    });
    expect(fieldsOf({ proxy: new Proxy({}, { ownKeys: bomb.get }), buffer: Buffer.from("x"), map: new Map() })).toBeUndefined();
  });
});

describe("a stack in wire form", () => {
  const { pathname: root } = new URL("../../..", import.meta.url);
  const frames = [
    "    at add (/app/tasks.ts:3:9)",
    `    at invoke (${root}worker/dist/execution/invoke.js:20:11)`,
    `    at file://${root}broker/src/protocol/json.ts:1:1`,
    "    at run (/app/node_modules/.pnpm/@bullrush+worker@1.0.0/node_modules/@bullrush/worker/dist/pool/inline.js:1:1)",
    "    at AsyncLocalStorage.run (node:internal/async_local_storage/async_context_frame:63:14)",
    "    at process.processTicksAndRejections (node:internal/process/task_queues:105:5)",
    "    at async Promise.all (index 0)",
    "    at readFile (node:fs:1:1)",
    "    at theirs (/app/packages/worker/src/jobs.ts:1:1)",
  ];
  const stacked = (lines: readonly string[]) => Object.assign(new Error("no"), { stack: ["Error: no", ...lines].join("\n") });

  test("lacks the frames of Bullrush and of Node's internals, and keeps all others", () => {
    const kept = [frames[0], ...frames.slice(6)];
    expect(wired(stacked(frames)).stack).toBe(["Error: no", ...kept].join("\n"));
    expect(toFailure(stacked(frames), { fullStacks: true }).stack).toBe(["Error: no", ...frames].join("\n"));
  });

  test("lacks what JavaScript itself ran between those, and keeps what it ran for others", () => {
    const [own, ours] = [frames[0] as string, frames[1] as string];
    const native = "    at new Promise (<anonymous>)";
    const mapped = "    at Array.map (<anonymous>)";
    expect(wired(stacked([own, mapped, own, native, ours, native, ours])).stack).toBe(["Error: no", own, mapped, own].join("\n"));
    expect(wired(stacked([own, mapped])).stack).toBe(["Error: no", own, mapped].join("\n"));
  });

  test("of an error that is all ours is its first line", () => {
    expect(wired(stacked(frames.slice(1, 6))).stack).toBe("Error: no");
  });
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
    ["a getter for the message", () => withGetters("message"), { name: "Error", message: "(its message cannot be read)" }],
    ["a getter for the stack", () => withGetters("stack"), { name: "Error", message: "sound" }],
    ["getters for all", () => withGetters("stack", "name", "message", "code", "cause"), { name: "Error" }],
    ["a getter for the parts", () => Object.defineProperty(new AggregateError([], "all"), "errors", { get: bomb }), { message: "all" }],
    [
      "parts that are bombs",
      () => new AggregateError([new Proxy({}, trap), revoked, withGetters("message")]),
      { errors: expect.any(Array) as [] },
    ],
    ["an object with getters", () => Object.defineProperty({ a: 1 }, "message", { get: bomb, enumerable: true }), { name: "NonError" }],
    [
      "an object whose class throws",
      () => ({
        get constructor() {
          return bomb();
        },
        get [Symbol.toStringTag]() {
          return bomb();
        },
      }),
      { name: "NonError" },
    ],
    ["a proxy with traps", () => new Proxy(new Error("x"), trap), { name: "NonError" }],
    ["a proxy that hides its properties", () => new Proxy(new Error("x"), { get: bomb }), { name: "Error" }],
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
    const properties = fc.dictionary(fc.constantFrom("name", "message", "stack", "code", "cause", "errors", "status", "at"), fc.anything());
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
          expect(clippedFailure(failure)).toEqual(failure);
          expect(describeFailure(failure)).toContain(failure.name);
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
    // Without the frames of whoever made this object.
    expect(remote.stack).toBe(String(remote));
    expect(remote).not.toBeInstanceOf(BullrushError);
  });

  test("has the parts of an aggregate, and the fields that the original had", () => {
    const error = Object.assign(new AggregateError([Object.assign(new Error("a"), { code: 5 })], "all"), { status: 503 });
    const remote = new RemoteError(wired(error));
    expect(remote.errors).toMatchObject([{ message: "a", code: 5 }]);
    expect(remote.errors?.[0]).toBeInstanceOf(RemoteError);
    expect(remote.fields).toEqual({ status: 503 });
    expect(new RemoteError(wired(new Error("x")))).not.toHaveProperty("errors");
  });

  test("that is thrown again keeps its wire form", () => {
    const failure = wired(
      Object.assign(
        new TypeError("not a number", { cause: Object.assign(new AggregateError([new Error("y")], "x"), { code: 7, status: 1 }) }),
        {
          response: { id: "r1" },
        },
      ),
    );
    expect(failure).toMatchObject({
      fields: { response: { id: "r1" } },
      cause: { code: 7, fields: { status: 1 }, errors: [{ message: "y" }] },
    });
    expect(wired(new RemoteError(failure))).toEqual(failure);
  });
});

test("a failure on one line", () => {
  expect(describeFailure(toFailure(new TypeError("not a number")))).toBe("TypeError: not a number");
});

describe("a failure on one line tells the innermost reason", () => {
  const refused = (address: string) => Object.assign(new Error(`connect ECONNREFUSED ${address}`), { code: "ECONNREFUSED" });
  const fetchFailed = (cause: unknown) => new TypeError("fetch failed", { cause });

  test.each<[unknown, string]>([
    [fetchFailed(refused("127.0.0.1:1")), "TypeError: fetch failed: connect ECONNREFUSED 127.0.0.1:1"],
    [
      fetchFailed(new AggregateError([refused("::1:1"), refused("127.0.0.1:1")])),
      "TypeError: fetch failed: connect ECONNREFUSED ::1:1; connect ECONNREFUSED 127.0.0.1:1",
    ],
    [new Error("no user", { cause: fetchFailed(refused("a:1")) }), "Error: no user: fetch failed: connect ECONNREFUSED a:1"],
    [new Error("no user (fetch failed)", { cause: new Error("fetch failed") }), "Error: no user (fetch failed)"],
    [
      new AggregateError(
        ["a", "b", "c", "d"].map((text) => new Error(text)),
        "all failed",
      ),
      "AggregateError: all failed: a; b; c; …",
    ],
    [new AggregateError([new Error("a"), new Error("a")]), "AggregateError: a"],
    [new Error("", { cause: Object.assign(new Error(""), { code: "EPIPE" }) }), "Error: EPIPE"],
    [new Error(""), "Error"],
    [null, "NonError: null"],
  ])("%#", (thrown, line) => {
    expect(describeFailure(toFailure(thrown))).toBe(line);
  });

  test("but an error of Bullrush says itself what it is about", () => {
    const failure = withCause(toFailure(new BullrushError("TIME_LIMIT_EXCEEDED", { task: "t", limit: 5 })), {
      name: "Error",
      message: "before",
    });
    expect(describeFailure(failure)).not.toContain("before");
  });
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
    [{ name: "E", message: "m", code: 1 }, true],
    [{ name: "E", message: "m", code: null }, false],
    [{ name: "E", message: "m", errors: [{ name: "E", message: "m" }], fields: { a: 1 } }, true],
    [{ name: "E", message: "m", errors: {} }, false],
    [{ name: "E", message: "m", errors: ["x"] }, false],
    [{ name: "E", message: "m", errors: Array.from({ length: 101 }, () => ({ name: "E", message: "m" })) }, false],
    [{ name: "E", message: "m", fields: [] }, false],
    [{ name: "E", message: "m", fields: "x" }, false],
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
    expect(lastOf(withCause(top, deep(5)))).toEqual({
      name: "Note",
      message: "2 more causes were left out, the innermost of which is E: m",
    });
    expect(depthOf(withCause(top, deep(5)))).toBe(5);
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
    expect(carriedFailure({ ...long, cause: { ...caused, message: "m".repeat(2000) } })).toMatchObject({
      cause: { name: "F", cause: { name: "G" } },
    });
    const errors = Array.from({ length: 10 }, (_, index) => ({ name: "E", message: `${index}${"m".repeat(999)}`, code: index }));
    const carried = carriedFailure({ ...long, errors, fields: { status: 503 } });
    expect(carried.errors).toMatchObject([{ code: 0 }, { code: 1 }, { code: 2 }, { code: 3 }, { code: 4 }, { name: "Note" }]);
    expect(JSON.stringify(carried).length).toBeLessThanOrEqual(4096);
    expect(
      JSON.stringify(carriedFailure({ ...long, message: "\0".repeat(9000), stack: "\0".repeat(9000), errors })).length,
    ).toBeLessThanOrEqual(4096);
  });
});
