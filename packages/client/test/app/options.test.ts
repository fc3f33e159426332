import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { BullrushError, createApp, type AppOptions } from "../../src/index.js";
import { compileOptions } from "../../src/app/options.js";
import { failing, thrownBy } from "../support.js";

const secret = "canary-7f3a";

const compile = (given: AppOptions = {}, environment: Record<string, string> = {}) => compileOptions(given, environment);

/** The error for options of types that the compiler would not let through. */
const refusal = (given: unknown, environment: Record<string, string> = {}) =>
  thrownBy(() => compileOptions(given as AppOptions, environment));

describe("defaults", () => {
  test("no options: every default", () => {
    const { router, retentionOf, ...options } = compile();
    expect(options).toEqual({
      name: "app",
      broker: "redis://127.0.0.1:6379/0",
      backend: "redis://127.0.0.1:6379/0",
      queues: ["default"],
      copyQueues: [],
      createMissingQueues: true,
      defaultQueue: "default",
      prefix: "bull",
      resultExpires: 86_400_000,
      publishTimeout: 5000,
      maxPayload: 1_048_576,
      beat: [],
      timezone: "UTC",
      bullmqEvents: true,
      isLocal: false,
    });
    const mebibytes = 1024 * 1024;
    expect(retentionOf("default")).toEqual({
      completed: { count: 1000, age: 86_400_000, bytes: 64 * mebibytes },
      failed: { count: 10_000, age: 86_400_000, bytes: 64 * mebibytes },
      deadLetter: { count: 100_000, age: 14 * 86_400_000, bytes: 64 * mebibytes },
      keepArguments: true,
    });
    expect(router.route({ task: "t", args: [] }).queues).toEqual(["default"]);
  });

  test("retention: the queue's, else the app's, else as long as results live", () => {
    const { retentionOf } = compile({
      resultExpires: "1h",
      retention: { completed: { count: 0 }, failed: { age: "2d" }, keepArguments: false },
      queues: ["a", { name: "b", retention: { completed: { bytes: Infinity }, failed: { age: Infinity }, keepArguments: true } }],
    });
    expect(retentionOf("a")).toMatchObject({
      completed: { count: 0, age: 3_600_000 },
      failed: { count: 10_000, age: 172_800_000 },
      keepArguments: false,
    });
    expect(retentionOf("elsewhere")).toEqual(retentionOf("a"));
    expect(retentionOf("b")).toMatchObject({
      completed: { count: 0, bytes: Number.MAX_SAFE_INTEGER },
      failed: { age: Number.MAX_SAFE_INTEGER },
      keepArguments: true,
    });
  });

  test.each<[unknown, string]>([
    [{ retention: 5 }, "retention is 5; expected an object"],
    [{ retention: { complete: {} } }, "retention.complete is no option; expected one of completed, failed, deadLetter, keepArguments"],
    [{ retention: { failed: { size: 1 } } }, "retention.failed.size is no option; expected one of count, age, bytes"],
    [{ retention: { failed: { count: -1 } } }, "retention.failed.count is -1; expected a whole number from 0, or Infinity"],
    [{ retention: { failed: { bytes: "1MB" } } }, 'retention.failed.bytes is "1MB"; expected a whole number from 0, or Infinity'],
    [{ retention: { deadLetter: { age: "soon" } } }, 'retention.deadLetter.age is "soon"'],
    [{ retention: { keepArguments: 1 } }, "retention.keepArguments is 1; expected true or false"],
    [{ queues: [{ name: "a", retention: { failed: 1 } }] }, "queues[0].retention.failed is 1; expected an object"],
  ])("retention %j: refused", (given, message) => {
    expect(refusal(given)).toMatchObject({ code: "INVALID_OPTION", message: expect.stringContaining(message) as string });
  });

  test("default queue: among the queues, declared or not", () => {
    expect(compile({ queues: ["a"] }).queues).toEqual(["a", "default"]);
    expect(compile({ queues: ["a", "default", "b"] }).queues).toEqual(["a", "default", "b"]);
    expect(compile({ queues: [{ name: "a" }], defaultQueue: "main" }).queues).toEqual(["a", "main"]);
  });

  test("queues of routes and beat entries: declared, but not those of functions", () => {
    expect(compile({ routes: { "b.*": "b", a: { queue: "a", priority: 1 }, c: { priority: 2 }, d: "b" } }).queues).toEqual([
      "default",
      "b",
      "a",
    ]);
    const routes = [["x", "one"], { y: { queue: "two" } }, () => "three", [["z", "four"]]] as const;
    expect(compile({ queues: ["two"], routes }).queues).toEqual(["two", "default", "one", "four"]);
    const entry = { task: "t", schedule: "1h" } as const;
    expect(compile({ beat: { a: { ...entry, options: { queue: "night" } }, b: entry } }).queues).toEqual(["default", "night"]);
  });

  test("queues of tasks: declared once the tasks are; those of stubs are not", () => {
    const app = createApp({ queues: ["a"], routes: { r: "r" } });
    app.task("t", { queue: "t" }, () => 1);
    app.task("u", { queue: "a" }, () => 1);
    app.stub("v", { queue: "v" });
    expect(app.options.queues).toEqual(["a", "default", "r", "t"]);
    app.override({ broker: "redis://other" });
    expect(app.options.queues).toEqual(["a", "default", "r", "t"]);
    const strict = createApp({ queues: ["a"], createMissingQueues: false });
    strict.task("t", { queue: "t" }, () => 1);
    expect(strict.options.queues).toEqual(["a"]);
  });

  test("createMissingQueues false: only the queues of the option are declared", () => {
    const named = { routes: { "*": "b" }, beat: { hourly: { task: "t", schedule: "1h", options: { queue: "c" } } } } as const;
    expect(compile({ queues: ["a"], createMissingQueues: false, ...named }).queues).toEqual(["a"]);
  });

  test("durations with a unit: accepted", () => {
    expect(compile({ resultExpires: "1h", publishTimeout: "300ms" })).toMatchObject({ resultExpires: 3_600_000, publishTimeout: 300 });
  });

  test("publishTimeout longer than timers allow: the longest timer", () => {
    expect(compile({ publishTimeout: "30d" }).publishTimeout).toBe(2_147_483_647);
  });
});

describe("location of Redis", () => {
  const variables = { BULLRUSH_BROKER_URL: "redis://env-broker", BULLRUSH_RESULT_BACKEND: "redis://env-backend" };

  test.each<[what: string, given: AppOptions, environment: Record<string, string>, broker: string, backend: string]>([
    ["the options win over the environment", { broker: "redis://b", backend: "redis://r" }, variables, "redis://b", "redis://r"],
    ["the environment wins over the defaults", {}, variables, "redis://env-broker", "redis://env-backend"],
    ["the backend of the environment wins over the broker", { broker: "redis://b" }, variables, "redis://b", "redis://env-backend"],
    ["the backend is the broker by default", { broker: "redis://b" }, {}, "redis://b", "redis://b"],
    ["that of the environment too", {}, { BULLRUSH_BROKER_URL: "redis://env-broker" }, "redis://env-broker", "redis://env-broker"],
    ["a variable that is empty is none", { broker: "redis://b" }, { BULLRUSH_RESULT_BACKEND: "" }, "redis://b", "redis://b"],
    ["nor the broker's", {}, { BULLRUSH_BROKER_URL: "" }, "redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379/0"],
  ])("%s", (_, given, environment, broker, backend) => {
    expect(compile(given, environment)).toMatchObject({ broker, backend });
  });

  test("ioredis options: accepted", () => {
    const broker = { host: "h", port: 1, password: secret };
    expect(compile({ broker })).toMatchObject({ broker, backend: broker });
  });
});

describe("environment variables", () => {
  beforeEach(() => void vi.stubEnv("BULLRUSH_BROKER_URL", "redis://127.0.0.1:1/3"));
  afterEach(() => vi.unstubAllEnvs());

  test("read by createApp, not later", () => {
    const app = createApp();
    vi.stubEnv("BULLRUSH_BROKER_URL", "redis://127.0.0.1:2/4");
    expect(app.options).toMatchObject({ broker: "redis://127.0.0.1:1/3", backend: "redis://127.0.0.1:1/3" });
  });

  test("override() wins over them", () => {
    const app = createApp({ backend: "redis://127.0.0.1:1/5" });
    app.override({ broker: "redis://127.0.0.1:3/0" });
    expect(app.options).toMatchObject({ broker: "redis://127.0.0.1:3/0", backend: "redis://127.0.0.1:1/5" });
  });
});

describe("refused options", () => {
  test("option that does not exist: the error names those that do", () => {
    const error = refusal({ borker: "redis://b" });
    expect(error).toEqual(failing("INVALID_OPTION", { option: '"borker" of createApp()', got: "unknown" }));
    expect(String(error)).toContain("one of name, broker, backend, engine, queues");
  });

  test.each<[option: keyof AppOptions, got: string, value: unknown]>([
    ["name", "empty", ""],
    ["name", "a number", 5],
    ["broker", "a number", 6379],
    ["broker", "null", null],
    ["broker", "an array", ["redis://b"]],
    ["broker", "a URL", new URL("redis://b")],
    ["backend", "a boolean", true],
    ["prefix", "empty", ""],
    ["createMissingQueues", "a string", "no"],
    ["resultExpires", "0 ms", 0],
    ["resultExpires", '"soon"', "soon"],
    ["resultExpires", "1e+300", 1e300],
    ["publishTimeout", "-1", -1],
    ["publishTimeout", "NaN", Number.NaN],
    ["maxPayload", "a string", "1mb"],
    ["maxPayload", "0", 0],
    ["maxPayload", "NaN", Number.NaN],
  ])("%s as %s: refused", (option, got, value) => {
    expect(refusal({ [option]: value })).toEqual(failing("INVALID_OPTION", { option: expect.stringContaining(option), got }));
  });

  test.each<[given: AppOptions, code: string]>([
    [{ queues: ["a:b"] }, "INVALID_QUEUE_NAME"],
    [{ queues: ["a", "a"] }, "INVALID_OPTION"],
    [{ queues: "a" as unknown as string[] }, "INVALID_OPTION"],
    [{ defaultQueue: "a b" }, "INVALID_QUEUE_NAME"],
    [{ defaultQueue: "" }, "INVALID_OPTION"],
    [{ routes: { "a.*": { que: "x" } as object } }, "INVALID_OPTION"],
    [{ routes: { a: "x:y" } }, "INVALID_OPTION"],
  ])("%o: refused", (given, code) => {
    expect(refusal(given)).toEqual(failing(code));
  });

  test.each([[null], ["redis://b"], [5], [[]], [new Map()]])("%o instead of options: refused", (given) => {
    expect(refusal(given)).toEqual(failing("INVALID_OPTION"));
  });
});

describe("password", () => {
  /** All that an error can show, its causes and properties included. */
  const shown = (error: unknown) => {
    expect(error).toBeInstanceOf(BullrushError);
    return `${inspect(error, { depth: 9, showHidden: true })} ${JSON.stringify(error)} ${String(error)} ${error instanceof Error ? error.stack : ""}`;
  };

  test.each([
    `http://:${secret}@h`,
    `redis://user:${secret}@h:port`,
    `redis://:${secret}@h:99999`,
    `redis://:${secret}@`,
    `redis://:${secret}@h/x1`,
    `:${secret}@h`,
    `redis://:${secret}@h:6379:6379/0`,
  ])("bad URL (%s): not in the error", (url) => {
    for (const error of [refusal({ broker: url }), refusal({ backend: url }), refusal({}, { BULLRUSH_BROKER_URL: url })]) {
      expect(error).toEqual(failing("INVALID_URL"));
      expect(shown(error)).not.toContain(secret);
    }
  });

  test.each<[what: string, given: unknown]>([
    ["a bad type", { broker: [`redis://:${secret}@h`] }],
    ["a URL object", { broker: new URL(`redis://:${secret}@h`) }],
    ["a URL in the place of the options", `redis://:${secret}@h`],
    ["a URL as another option", { broker: `redis://:${secret}@h`, resultExpires: { secret } }],
    ["a misspelt option", { borker: `redis://:${secret}@h` }],
  ])("%s: not in the error", (_, given) => {
    const error = refusal(given);
    expect(error).toEqual(failing("INVALID_OPTION"));
    expect(shown(error)).not.toContain(secret);
  });

  test("printed app: not shown", () => {
    const app = createApp({ broker: `redis://:${secret}@127.0.0.1:1`, backend: { host: "h", password: secret } });
    expect(inspect(app, { depth: 9, showHidden: true })).not.toContain(secret);
    expect(JSON.stringify(app)).not.toContain(secret);
  });
});
