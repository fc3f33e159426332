import { availableParallelism, hostname } from "node:os";
import { describe, expect, it } from "vitest";
import { compileWorkerOptions, type WorkerOptions } from "../src/options.js";

const declared = ["default", "mail"];

function compile(given: WorkerOptions = {}) {
  return compileWorkerOptions(given, declared);
}

function refusal(message: string): object {
  return expect.objectContaining({ code: "INVALID_OPTION", message }) as object;
}

describe("compileWorkerOptions", () => {
  it("has a default for everything", () => {
    expect(compile()).toEqual({
      queues: [
        { name: "default", weight: 1 },
        { name: "mail", weight: 1 },
      ],
      pool: "inline",
      concurrency: 100,
      module: undefined,
      autoscale: undefined,
      maxTasksPerChild: Infinity,
      maxMemoryPerChild: Infinity,
      timeLimit: undefined,
      softTimeLimit: undefined,
      order: "round-robin",
      name: `worker@${hostname()}`,
      numbered: true,
      lease: 15_000,
      scan: 5000,
      unregisteredGrace: 300_000,
      shutdownTimeout: 30_000,
      blockedLimit: 600_000,
      endsProcess: false,
      allowEviction: false,
      fullStacks: false,
      captureConsole: false,
    });
  });

  it("refuses an option that does not exist", () => {
    const given = { concurency: 3 } as WorkerOptions;
    expect(() => compile(given)).toThrow(
      expect.objectContaining({
        message: expect.stringContaining('"concurency" of createWorker() is unknown; expected one of queues, ') as string,
      }),
    );
  });

  it.each([0, -1, 1.5, Number.NaN, Infinity])("refuses a concurrency of %s", (concurrency) => {
    expect(() => compile({ concurrency })).toThrow(refusal(`concurrency is ${concurrency}; expected a whole number from 1`));
  });

  it("refuses an order that does not exist", () => {
    expect(() => compile({ order: "random" as "strict" })).toThrow(refusal('order is "random"; expected round-robin or strict'));
  });
});

describe("the pool", () => {
  const module = "/tasks.ts";

  it("has as many runners as there are cores, or as many as autoscale allows", () => {
    expect(compile({ pool: "threads", module }).concurrency).toBe(availableParallelism());
    expect(compile({ pool: "processes", module, concurrency: 3, autoscale: { max: 8, min: 2 } })).toMatchObject({
      concurrency: 8,
      autoscale: { max: 8, min: 2, idle: 30_000 },
    });
  });

  it.each([
    ["200mb", 200 * 1024 ** 2],
    ["1GB", 1024 ** 3],
    [4096, 4096],
  ])("may limit a process's memory to %s", (maxMemoryPerChild, bytes) => {
    expect(compile({ pool: "processes", module, maxMemoryPerChild })).toMatchObject({ maxMemoryPerChild: bytes });
  });

  it.each<[WorkerOptions, string]>([
    [{ pool: "prefork" as "threads" }, 'pool is "prefork"; expected inline, threads, processes'],
    [{ pool: "threads" }, "module is missing; expected the module that exports the app"],
    [{ autoscale: { max: 2, min: 1 } }, "autoscale is given with the pool inline; expected the pool threads or processes"],
    [{ maxTasksPerChild: 2 }, "maxTasksPerChild is given with the pool inline; expected the pool threads or processes"],
    [{ maxMemoryPerChild: "9mb" }, "maxMemoryPerChild is given with the pool inline; expected the pool threads or processes"],
    [
      { pool: "threads", module, maxMemoryPerChild: "9mb" },
      "maxMemoryPerChild is given with the pool threads; expected the pool processes",
    ],
    [
      { pool: "processes", module, maxMemoryPerChild: "200" },
      'maxMemoryPerChild is "200"; expected a size with its unit: write "200kb", as Celery reads it, or "200mb"',
    ],
    [{ pool: "processes", module, autoscale: { max: 1, min: 2 } }, "autoscale is 1,2; expected the most first"],
    [{ pool: "processes", module, autoscale: { max: 1, min: 0 } }, "the min of autoscale is 0; expected a whole number from 1"],
    [
      { pool: "processes", module, autoscale: { max: 2, min: 1, idle: "25d" } },
      "the idle of autoscale is 2160000000 ms; expected at most 24 days",
    ],
    [{ timeLimit: "1s", softTimeLimit: "1s" }, "softTimeLimit is 1000 ms; expected less than timeLimit, 1000 ms"],
  ])("is not misused: %j", (given, message) => {
    expect(() => compile(given)).toThrow(refusal(expect.stringContaining(message) as string));
  });
});

describe("queues", () => {
  it("are those named, with their weights, whether declared or not", () => {
    const { queues } = compile({ queues: ["mail", "video:3", { name: "sms" }, { name: "push", weight: 100 }] });
    expect(queues).toEqual([
      { name: "mail", weight: 1 },
      { name: "video", weight: 3 },
      { name: "sms", weight: 1 },
      { name: "push", weight: 100 },
    ]);
  });

  it("are without those excluded, declared or named", () => {
    expect(compile({ excludeQueues: ["mail", "nobody"] }).queues).toEqual([{ name: "default", weight: 1 }]);
    expect(compile({ queues: ["a:2", "b"], excludeQueues: ["a"] }).queues).toEqual([{ name: "b", weight: 1 }]);
  });

  it.each([{ excludeQueues: declared }, { queues: [] }, { queues: ["a"], excludeQueues: ["a"] }])("may not be none: %j", (given) => {
    expect(() => compile(given)).toThrow(refusal("queues is empty without the excluded ones; expected at least one that is left"));
  });

  it("may not be named twice", () => {
    expect(() => compile({ queues: ["a", "b", "a:2"] })).toThrow(refusal("queues is a, b, a; expected each once"));
  });

  it.each([
    ["", "it is empty"],
    ["a:b", 'it contains ":", which BullMQ refuses'],
    ["a:1:2", 'it contains ":", which BullMQ refuses'],
    ["a:-1", 'it contains ":", which BullMQ refuses'],
    ["a b", "it contains whitespace"],
    ["a,b", 'it contains ",", which separates queues in -Q'],
    [":3", "it is empty"],
  ])("may not be called %j", (name, reason) => {
    const error = expect.objectContaining({
      code: "INVALID_QUEUE_NAME",
      message: expect.stringContaining(`is not a queue name: ${reason}`) as string,
    }) as object;
    expect(() => compile({ queues: [name] })).toThrow(error);
  });

  it.each(["", "mail:3", "a b"])("to exclude may not be called %j", (name) => {
    expect(() => compile({ excludeQueues: [name] })).toThrow(expect.objectContaining({ code: "INVALID_QUEUE_NAME" }));
  });

  it.each([0, 101, 1.5, -1, Number.NaN])("may not have a weight of %s", (weight) => {
    expect(() => compile({ queues: [{ name: "a", weight }] })).toThrow(
      refusal(`the weight of queue "a" is ${weight}; expected a whole number from 1 to 100`),
    );
  });

  it.each(["a:0", "a:101"])("may not be weighted as in %s", (queue) => {
    expect(() => compile({ queues: [queue] })).toThrow(expect.objectContaining({ code: "INVALID_OPTION" }));
  });
});

describe("the name", () => {
  const host = hostname();
  const first = host.split(".")[0] ?? "";
  const rest = host.split(".").slice(1).join(".");

  it.each([
    ["workerA@%h", `workerA@${host}`],
    ["a@%n", `a@${first}`],
    ["a@%n.%d", `a@${first}.${rest}`],
    ["a-%p", `a-${process.pid}`],
    ["%h%h", host + host],
    ["100%%", "100%"],
    ["%%h", "%h"],
    ["%x", "%x"],
    ["plain", "plain"],
  ])("%s stands for %s", (pattern, name) => {
    expect(compile({ name: pattern }).name).toBe(name);
  });

  it.each(["", " ", "my worker", "a\nb", "a\u0000b", "x".repeat(201)])("may not be %j", (name) => {
    expect(() => compile({ name })).toThrow(
      refusal(`name is ${JSON.stringify(name.slice(0, 80))}; expected 1 to 200 characters without whitespace`),
    );
  });

  it("is a string", () => {
    expect(() => compile({ name: 5 as unknown as string })).toThrow(refusal("name is a number; expected a string"));
  });
});

describe("times", () => {
  it.each(["lease", "scan", "shutdownTimeout"] as const)("%s is in whole ms", (option) => {
    expect(compile({ [option]: "2s" })[option]).toBe(2000);
    expect(compile({ [option]: 1234.5 })[option]).toBe(1235);
  });

  it("shutdownTimeout may be 0, lease not below 1 s, scan not below 100 ms", () => {
    expect(() => compile({ scan: 99 })).toThrow(refusal("scan is 99 ms; expected at least 100 ms and at most 24 days"));
    expect(compile({ shutdownTimeout: 0 }).shutdownTimeout).toBe(0);
    expect(compile({ lease: "1s" }).lease).toBe(1000);
    expect(() => compile({ lease: 999 })).toThrow(refusal("lease is 999 ms; expected at least 1000 ms and at most 24 days"));
  });

  it("are no longer than a timer can wait", () => {
    expect(compile({ shutdownTimeout: "24d" }).shutdownTimeout).toBeLessThan(2 ** 31);
    expect(() => compile({ shutdownTimeout: "25d" })).toThrow(refusal("shutdownTimeout is 2160000000 ms; expected at most 24 days"));
    expect(() => compile({ lease: "25d" })).toThrow(refusal("lease is 2160000000 ms; expected at least 1000 ms and at most 24 days"));
  });

  it.each(["soon", "", -1, Number.NaN, Infinity])("may not be %j", (time) => {
    const given = time as "1s";
    expect(() => compile({ lease: given })).toThrow(
      expect.objectContaining({ code: "INVALID_OPTION", message: expect.stringMatching(/^lease is /) as string }),
    );
    expect(() => compile({ shutdownTimeout: given })).toThrow(
      expect.objectContaining({ code: "INVALID_OPTION", message: expect.stringMatching(/^shutdownTimeout is /) as string }),
    );
  });
});
