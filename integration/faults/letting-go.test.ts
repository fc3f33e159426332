import { randomUUID } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { createApp, type App } from "@bullrush/client";
import { createWorker, type Worker, type WorkerOptions } from "@bullrush/worker";
import { Redis } from "ioredis";
import { pino } from "pino";
import { describe, expect, it, onTestFinished } from "vitest";
import { eventually } from "../lib/eventually.js";
import { hangTimeout } from "../lib/hang-timeout.js";
import { redisUrl } from "../lib/redis-url.js";

/**
 * Two workers in this process, of which only what is asked for is started, and what their tasks
 * did.
 */
interface Scene {
  readonly producer: App;
  readonly redis: Redis;
  readonly began: readonly string[];
  /** Those of `once` that have heeded their signal. */
  readonly ended: readonly string[];
  readonly work: (options?: WorkerOptions) => Promise<Worker>;
  /** The key of a job's hash. */
  readonly keyOf: (id: string) => string;
}

function open(): Scene {
  const prefix = randomUUID();
  const redis = new Redis(redisUrl());
  onTestFinished(() => redis.disconnect());
  const began: string[] = [];
  const ended: string[] = [];
  const appOf = () => {
    const app = createApp({ broker: redisUrl(), prefix });
    onTestFinished(() => app.close());
    return app;
  };
  const work = async (options: WorkerOptions = {}) => {
    const app = appOf();
    /** Returns how often it has started before. */
    const begin = (id: string) => {
      const before = began.filter((one) => one === id).length;
      began.push(id);
      return before;
    };
    app.task("once", { delivery: "at-most-once" }, async function () {
      if (begin(this.id) > 0) return;
      await pause(60_000, undefined, { signal: this.signal }).finally(() => ended.push(this.id));
    });
    app.task("long", async function (ms: number) {
      begin(this.id);
      await pause(ms, undefined, { signal: this.signal });
    });
    app.task("busy", (ms: number) => {
      for (const end = Date.now() + ms; Date.now() < end;);
    });
    app.task("short", function () {
      begin(this.id);
    });
    const worker = createWorker(app, { log: pino({ level: "silent" }), ...options });
    onTestFinished(async () => void (await worker.stop(AbortSignal.abort())));
    await worker.start();
    return worker;
  };
  return { producer: appOf(), redis, began, ended, work, keyOf: (id) => `${prefix}:default:${id}` };
}

describe("an at-most-once task that has started", () => {
  it("fails when its worker is stopped before it ends", async () => {
    const { producer, began, work } = open();
    const worker = await work({ shutdownTimeout: 0 });
    const sent = await producer.sendTask("once");
    await eventually("it has begun", () => began.length === 1);
    expect(await worker.stop()).toBe(0);
    expect(await sent.get({ propagate: false, timeout: hangTimeout })).toMatchObject({
      state: "FAILURE",
      failure: { code: "WORKER_LOST" },
    });
    await work();
    await (await producer.sendTask("short")).get({ timeout: hangTimeout });
    expect(began.filter((id) => id === sent.id)).toHaveLength(1);
  });

  it("fails when its lease was lost, though it heeds that", async () => {
    const { producer, redis, began, ended, work, keyOf } = open();
    await work({ lease: 1000, scan: "1h" });
    const sent = await producer.sendTask("once");
    await eventually("it has begun", () => began.length === 1);
    await redis.del(`${keyOf(sent.id)}:lock`);
    await eventually("it has ended", () => ended.length === 1);
    await work({ lease: 1000, scan: 100 });
    expect(await sent.get({ propagate: false, timeout: hangTimeout })).toMatchObject({
      state: "FAILURE",
      failure: { code: "WORKER_LOST" },
    });
    expect(began).toHaveLength(1);
  });
});

it("is not taken for lost when it keeps the event loop until its leases are due, and ends", async () => {
  const { producer, work } = open();
  const lines: string[] = [];
  await work({ lease: 1000, log: pino({ level: "warn" }, { write: (line: string) => void lines.push(line) }) });
  for (let times = 0; times < 10; times++) await (await producer.sendTask("busy", [400])).get({ timeout: hangTimeout });
  expect(lines.filter((line) => line.includes("lease lost"))).toEqual([]);
});

describe("a message near its crash limit, beside a long task,", () => {
  it.each([
    ["too often", { ats: 3, startedDeliveries: " 1 2 3 " }, "FAILURE"],
    ["and is revoked", { ats: 2, startedDeliveries: " 1 2 ", revoked: "by request" }, "REVOKED"],
  ])("%s, does not wait for it", async (_, past, state) => {
    const { producer, redis, began, work, keyOf } = open();
    await work({ concurrency: 3 });
    const long = await producer.sendTask("long", [60_000]);
    await eventually("it has begun", () => began.length === 1);
    const sent = await producer.sendTask("short", [], { countdown: 300 });
    await redis.hset(keyOf(sent.id), past);
    // Its worker renews its leases after 5 s, and would hear of it then.
    expect(await sent.get({ propagate: false, timeout: "4s" })).toMatchObject({ state });
    expect(began).toEqual([long.id]);
  });

  it("keeps its worker from nothing any more when somebody else has it", async () => {
    const { producer, redis, began, work, keyOf } = open();
    await work({ concurrency: 3, lease: 1000, scan: "1h" });
    const long = await producer.sendTask("long", [60_000]);
    await eventually("it has begun", () => began.length === 1);
    const risky = await producer.sendTask("short", [], { countdown: 200 });
    await redis.hset(keyOf(risky.id), { ats: 2, startedDeliveries: " 1 2 " });
    await eventually("it is taken", async () => (await redis.hget(keyOf(risky.id), "ats")) === "3");
    await redis.set(`${keyOf(risky.id)}:lock`, "another's", "PX", 60_000);
    const other = await producer.sendTask("short");
    await other.get({ timeout: hangTimeout });
    expect(began).toEqual([long.id, other.id]);
  });
});
