import { randomUUID } from "node:crypto";
import { chord, createApp, type FailureInfo, type Task } from "@bullrush/client";
import { Queue } from "bullmq";
import { Redis } from "ioredis";
import { describe, expect, it } from "vitest";
import { deadLettersOf } from "../../packages/broker/test/dead-letters.js";
import { compiledFixture } from "../lib/fixture.js";
import { hangTimeout } from "../lib/hang-timeout.js";
import { openLedger } from "../lib/ledger.js";
import { long } from "../lib/long.js";
import { eventually } from "../lib/eventually.js";
import { startWorker, type WorkerProcess } from "../lib/task-worker.js";
import type { Entry } from "../lib/program.js";
import { redisUrl } from "../lib/redis-url.js";

const fixture = compiledFixture("fixtures/unhandled-errors.ts", import.meta.url);

function scene(hold = 0, more: Readonly<Record<string, string>> = {}) {
  const [url, prefix] = [redisUrl(), `unhandled-${randomUUID()}`];
  const ledger = openLedger();
  const env = { BULLRUSH_BROKER_URL: url, FIXTURE_PREFIX: prefix, FIXTURE_HOLD: String(hold), FIXTURE_LEDGER: ledger.file, ...more };
  const app = createApp({ broker: url, prefix, queues: ["one"], defaultQueue: "one" });
  const ended: WorkerProcess[] = [];
  const running = new Set<WorkerProcess>();
  let ending = false;

  const start = (...args: readonly string[]) => {
    const worker = startWorker({ app: fixture, args, env });
    running.add(worker);
    void worker.exit.then(() => {
      running.delete(worker);
      ended.push(worker);
    });
    return worker;
  };
  /** Starts a worker, and another one in its place whenever it ends. */
  const supervise = (...args: readonly string[]) => {
    void start(...args).exit.then(() => ending || supervise(...args));
  };
  return {
    prefix,
    app,
    start,
    supervise,
    /** How often the task began. */
    starts: (id: string) => ledger.of(id).length,
    /** The output of workers that an uncaught exception ended. */
    deaths: (): readonly Entry[] => ended.flatMap(({ entries }) => entries.filter(({ level }) => level === 60)),
    [Symbol.asyncDispose]: async () => {
      ending = true;
      await Promise.all([...running].map((worker) => worker.kill()));
      await app.close();
      ledger[Symbol.dispose]();
    },
  };
}

const poisoned = { state: "FAILURE", failure: { code: "TASK_POISONED" } };
const lost = { state: "FAILURE", failure: { code: "WORKER_LOST" } };
const anyhow = { propagate: false, timeout: hangTimeout } as const;

it("unhandled rejection: one line that names the task, and the worker goes on", async () => {
  await using stage = scene();
  const worker = stage.start();
  const result = await stage.app.sendTask("fixture.litter");
  expect(await result.get({ timeout: hangTimeout })).toBe("done");
  await worker.waitForEntry({ level: 50, error: "RangeError: left behind", task: "fixture.litter", id: result.id });
  const next = await stage.app.sendTask("fixture.add", [1, 2]);
  expect(await next.get({ timeout: hangTimeout })).toBe(3);
});

describe("an uncaught exception of a running task", () => {
  it("ends workers until the task is poisoned, and other tasks still succeed", async () => {
    await using stage = scene();
    const { app } = stage;
    const late = await app.sendTask("fixture.late");
    const short = await Promise.all(Array.from({ length: 20 }, () => app.sendTask("fixture.take", [200])));
    const long = await app.sendTask("fixture.take", [2000]);
    const once = await app.sendTask("fixture.takeOnce", [2000]);
    for (const name of ["first", "second"]) stage.supervise("-n", name);

    expect(await late.get(anyhow)).toMatchObject(poisoned);
    for (const one of [...short, long, once]) expect(await one.get({ timeout: hangTimeout })).toBe("done");
    expect(stage.starts(late.id)).toBe(3);
    expect(stage.starts(once.id)).toBe(1);
    await eventually("the workers that it ended are gone", () => stage.deaths().length === 3);
    const line = { task: "fixture.late", id: late.id, error: "RangeError: far away", msg: expect.stringContaining("a crash of this task") };
    expect(stage.deaths()).toMatchObject([line, line, line]);
  });

  it("settles it as crashed, waits for at-most-once tasks, puts back the rest, and ends the process with 1", async () => {
    await using stage = scene();
    const { app } = stage;
    const worker = stage.start();
    const once = await app.sendTask("fixture.takeOnce", [1500]);
    const innocent = await app.sendTask("fixture.take", [60_000]);
    await eventually("both run", () => stage.starts(once.id) + stage.starts(innocent.id) === 2);
    const late = await app.sendTask("fixture.late");
    expect(await worker.exit).toEqual({ code: 1, signal: null });
    expect(worker.errors).toEqual([]);
    expect(await once.get({ timeout: hangTimeout })).toBe("done");
    const endsOf = (id: string) => worker.entries.filter((entry) => entry["id"] === id && entry["msg"] !== "received");
    expect(endsOf(innocent.id)).toMatchObject([{ msg: "requeued" }]);
    expect(endsOf(late.id)).toMatchObject([{ msg: "throwing" }, { msg: "crashed" }, { level: 60 }]);
    expect(await app.engine.queues.counts(["one"])).toMatchObject([{ waiting: 2, active: 0 }]);
  });

  it("at-most-once: fails the task that threw, and no other", async () => {
    await using stage = scene();
    const { app } = stage;
    stage.supervise();
    const beside = await app.sendTask("fixture.takeOnce", [1500]);
    await eventually("it runs", () => stage.starts(beside.id) === 1);
    const late = await app.sendTask("fixture.lateOnce");
    expect(await late.get(anyhow)).toMatchObject(lost);
    expect(await beside.get({ timeout: hangTimeout })).toBe("done");
    expect([stage.starts(late.id), stage.starts(beside.id)]).toEqual([1, 1]);
  });

  it("while the worker stops because of another one, counts as well", async () => {
    await using stage = scene();
    const { app } = stage;
    const worker = stage.start();
    const once = await app.sendTask("fixture.takeOnce", [1500]);
    await eventually("it runs", () => stage.starts(once.id) === 1);
    const late = await app.sendTask("fixture.lateOnce", ["next"]);
    await eventually("it runs", () => stage.starts(late.id) === 1);
    const before = await app.sendTask("fixture.laterStill", [100]);
    expect(await worker.exit).toEqual({ code: 1, signal: null });
    expect(stage.deaths()).toMatchObject([{ id: before.id }, { id: late.id, msg: expect.stringContaining("a crash of this task") }]);
    expect(await once.get({ timeout: hangTimeout })).toBe("done");
    stage.start();
    expect(await late.get(anyhow)).toMatchObject(lost);
    expect(stage.starts(late.id)).toBe(1);
  });

  it.each(long ? ["timer", "interval", "tick", "emitter", "socket", "null"] : ["timer", "emitter", "null"])(
    "is of that task when it comes from here: %s",
    async (way) => {
      await using stage = scene();
      const { app } = stage;
      const worker = stage.start();
      const innocent = await app.sendTask("fixture.take", [60_000]);
      await eventually("it runs", () => stage.starts(innocent.id) === 1);
      const late = await app.sendTask("fixture.late", [way]);
      expect(await worker.exit).toEqual({ code: 1, signal: null });
      expect(stage.deaths()).toMatchObject([{ task: "fixture.late", id: late.id }]);
      expect(worker.entries.filter(({ msg }) => msg === "crashed")).toMatchObject([{ id: late.id }]);
    },
  );

  it("is of that task when a listener of its signal threw", async () => {
    await using stage = scene();
    const { app } = stage;
    const worker = stage.start();
    const innocent = await app.sendTask("fixture.take", [60_000]);
    await eventually("it runs", () => stage.starts(innocent.id) === 1);
    const late = await app.sendTask("fixture.late", ["abort"]);
    await eventually("it runs", () => stage.starts(late.id) === 1);
    await late.revoke();
    expect(await worker.exit).toEqual({ code: 1, signal: null });
    expect(stage.deaths()).toMatchObject([{ task: "fixture.late", id: late.id }]);
    stage.start();
    expect(await late.get(anyhow)).toMatchObject({ state: "REVOKED" });
  });
});

describe("an uncaught exception", () => {
  it("of a task that had ended: the others finish, and no crash is counted", async () => {
    await using stage = scene();
    const { app } = stage;
    const worker = stage.start();
    const beside = await app.sendTask("fixture.take", [1000]);
    await eventually("it runs", () => stage.starts(beside.id) === 1);
    const ended = await app.sendTask("fixture.laterStill", [100]);
    expect(await ended.get({ timeout: hangTimeout })).toBe("done");
    expect(await worker.exit).toEqual({ code: 1, signal: null });
    expect(await beside.get({ timeout: hangTimeout })).toBe("done");
    expect(stage.deaths()).toMatchObject([
      { task: "fixture.laterStill", id: ended.id, msg: expect.stringContaining("its task had ended") },
    ]);
    expect(worker.entries.filter(({ msg }) => msg === "crashed")).toEqual([]);
  });

  it("of no known task counts for all that run", async () => {
    await using stage = scene(0, { FIXTURE_THROW_BESIDE: "2" });
    const { app } = stage;
    const worker = stage.start();
    const sent = await Promise.all([app.sendTask("fixture.take", [60_000]), app.sendTask("fixture.take", [60_000])]);
    expect(await worker.exit).toEqual({ code: 1, signal: null });
    const crashed = new Set(worker.entries.filter(({ msg }) => msg === "crashed").map(({ id }) => id));
    expect(crashed).toEqual(new Set(sent.map(({ id }) => id)));
    expect(stage.deaths()).toMatchObject([{ msg: expect.stringContaining("of no known task") }]);
    expect(stage.deaths()[0]).not.toHaveProperty("task");
  });

  it.each(["0", "1"])("of the module ends a worker that runs nothing, %s ms after it was loaded", async (atStart) => {
    await using stage = scene(0, { FIXTURE_THROW_AT_START: atStart });
    const worker = stage.start("-B");
    expect(await worker.exit).toEqual({ code: 1, signal: null });
  });
});

describe("a poisoned task that threw late", () => {
  it("ends its canvas: the chord's error link is called", async () => {
    await using stage = scene();
    const { app } = stage;
    stage.supervise();
    const take = app.stub<Task<[number], string>>("fixture.take");
    const late = app.stub<Task<[], string>>("fixture.late");
    const gather = app.stub<Task<[readonly string[]], string>>("fixture.gather");
    const caught = app.stub<Task<[FailureInfo], string>>("fixture.caught");
    const taskId = randomUUID();
    const result = await chord([take.s(10), late.s(), take.s(10)], gather.s())
      .onError(caught.s().set({ taskId }))
      .delay();
    expect(await result.get(anyhow)).toMatchObject({ failure: { code: "CHORD_FAILED" } });
    const link = app.asyncResult<string>(taskId);
    // A link has an id before anybody sends it: that follows upon the failure which this process
    // has just heard of.
    await eventually("it is sent", async () => (await link.status()) !== "UNKNOWN");
    expect(await link.get({ timeout: hangTimeout })).toBe("CHORD_FAILED of TASK_POISONED");
  });

  it("is a dead letter when its result is ignored", async () => {
    await using stage = scene();
    const { app, prefix } = stage;
    stage.supervise();
    const late = await app.sendTask("fixture.lateQuiet", [], { ignoreResult: true });
    const beside = await app.sendTask("fixture.take", [1000]);
    const redis = new Redis(redisUrl(), { replyMapping: "legacy" });
    try {
      await eventually("it is given up", async () => (await deadLettersOf(redis, prefix, "one")).length === 1);
      expect(await deadLettersOf(redis, prefix, "one")).toMatchObject([
        { id: late.id, reason: expect.stringContaining("started 3 times") as string },
      ]);
    } finally {
      redis.disconnect();
    }
    expect(await beside.get({ timeout: hangTimeout })).toBe("done");
    expect(stage.starts(late.id)).toBe(3);
  });

  it("may be a plain job of BullMQ's", async () => {
    await using stage = scene();
    const { app, prefix } = stage;
    const { hostname: host, port } = new URL(redisUrl());
    const queue = new Queue("one", { prefix, connection: { host, port: Number(port) } });
    try {
      const beside = await app.sendTask("fixture.take", [1000]);
      const job = await queue.add("fixture.late", ["timer"]);
      stage.supervise();
      await eventually("it is given up", async () => (await job.getState()) === "failed");
      expect(await beside.get({ timeout: hangTimeout })).toBe("done");
      expect(stage.starts(job.id ?? "")).toBe(3);
    } finally {
      await queue.close();
    }
  });
});

it("a task that is put back at the end of the shutdown's patience is logged as requeued, not as failed", async () => {
  await using stage = scene(60_000);
  const { app } = stage;
  const worker = stage.start("--shutdown-timeout", "300ms");
  const result = await app.sendTask("fixture.hold");
  await worker.waitForEntry({ msg: "holding", id: result.id });
  worker.signal("SIGTERM");
  expect(await worker.exit).toEqual({ code: 0, signal: null });
  const ofTask = worker.entries.filter((entry) => entry["id"] === result.id).map((entry) => entry["msg"]);
  expect(ofTask).toContain("requeued");
  expect(ofTask).not.toContain("failed");
  expect(await result.status()).toBe("PENDING");
});
