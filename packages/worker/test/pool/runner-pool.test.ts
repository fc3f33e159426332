import { newId, type BullrushError } from "@bullrush/broker";
import { pino } from "pino";
import { describe, expect, it } from "vitest";
import { until } from "../../../../integration/lib/until.js";
import type { Execution } from "../../src/execution/execution.js";
import { Stop } from "../../src/execution/stop.js";
import { RunTrace } from "../../src/execution/run-trace.js";
import type { Launch } from "../../src/pool/child-handle.js";
import type { FromRunner } from "../../src/pool/messages.js";
import { RunnerPool } from "../../src/pool/runner-pool.js";

/** A runner that a test speaks for: by itself it does nothing but run, and end. */
interface Puppet {
  readonly say: (message: FromRunner) => void;
  /** The runs that it was given. */
  readonly runs: number[];
  readonly die: (how: string) => void;
}

/** Launches puppets, the first of them ready at once. `mayLaunch` is told how many there were before, and may throw. */
function stage(mayLaunch: (before: number) => void = () => {}) {
  const puppets: Puppet[] = [];
  const failures: BullrushError[] = [];
  let launches = 0;
  const launch: Launch = (onMessage) => {
    mayLaunch(launches++);
    const runs: number[] = [];
    let die: (how: string) => void = () => {};
    const exited = new Promise<string>((resolve) => (die = resolve));
    puppets.push({ say: onMessage, runs, die });
    if (puppets.length === 1) queueMicrotask(() => onMessage({ type: "ready" }));
    const pid = puppets.length;
    return {
      name: `puppet ${pid}`,
      facts: { pid },
      send: (message) => {
        if (message.type === "run") runs.push(message.run);
        if (message.type === "end") die("exit code 0");
      },
      kill: () => die("SIGKILL"),
      exited,
    };
  };
  const lines: string[] = [];
  const log = pino({ base: null }, { write: (line: string) => void lines.push(line) });
  const limits = { soft: undefined, hard: undefined };
  const load = {
    type: "load",
    module: "/tasks.ts",
    worker: "w1",
    pool: "processes",
    level: "silent",
    captureConsole: false,
    limits,
  } as const;
  const pool = new RunnerPool({
    runner: { launch, load, storeState: async () => {}, onWait: () => {}, log },
    min: 1,
    idle: 60_000,
    maxTasks: Infinity,
    maxMemory: Infinity,
    log,
    onFailure: (error) => void failures.push(error),
  });
  return { pool, puppets, failures, lines, launches: () => launches };
}

function execution(stop = new Stop()): Execution {
  const id = newId();
  const message = { id, task: "add", args: [], headers: {}, priority: 0, retries: 0, rootId: id };
  return {
    delivery: { queue: "default", id, number: 1, endedBefore: 0, crashes: 0, token: "t", content: { type: "message", message } },
    message,
    definition: { name: "add", options: {}, run: () => 3 },
    startedAt: 0,
    storesResult: false,
    stop,
    trace: new RunTrace(),
  };
}

const done = (run: number): FromRunner => ({ type: "done", run, outcome: { type: "succeeded" }, memory: 1 });

function notStarted(): never {
  throw Object.assign(new Error("spawn ENOMEM"), { code: "ENOMEM" });
}

describe("runners that cannot be started", () => {
  it("fail the pool when the first of them cannot", async () => {
    const { pool, launches } = stage(notStarted);
    await expect(pool.start()).rejects.toMatchObject({ code: "POOL_FAILED", message: expect.stringContaining("spawn ENOMEM") });
    expect(launches()).toBe(3);
    await pool.stop();
  });

  it("are tried again for what waits, and fail the pool at the third in a row", async () => {
    const { pool, puppets, failures, launches } = stage((before) => before > 0 && notStarted());
    await pool.start();
    const first = pool.run(execution());
    expect(await pool.run(execution())).toMatchObject({ type: "requeued" });
    expect(failures).toMatchObject([{ code: "POOL_FAILED", message: expect.stringContaining("spawn ENOMEM") }]);
    expect(launches()).toBe(1 + 3);
    puppets[0]?.say(done(1));
    expect(await first).toMatchObject({ type: "succeeded" });
    await pool.stop();
  });

  it("are forgotten when the next one starts", async () => {
    const { pool, puppets, failures } = stage((before) => (before === 1 || before === 2) && notStarted());
    await pool.start();
    void pool.run(execution());
    const second = pool.run(execution());
    await until(() => expect(puppets).toHaveLength(2));
    puppets[1]?.say({ type: "ready" });
    await until(() => expect(puppets[1]?.runs).toEqual([1]));
    puppets[1]?.say(done(1));
    expect(await second).toMatchObject({ type: "succeeded" });
    expect(failures).toEqual([]);
    await pool.stop();
  });
});

describe("what a module of the user's says of its troubles", () => {
  const secret = "canary-7d1e";
  const message = `cannot connect to postgres://shop:${secret}@db/orders`;

  it("is told without passwords when it cannot be loaded", async () => {
    const { pool, puppets, failures } = stage();
    await pool.start();
    void pool.run(execution());
    const waiting = pool.run(execution());
    puppets[1]?.say({ type: "unloadable", reason: message });
    expect(await waiting).toMatchObject({ type: "requeued" });
    expect(failures).toMatchObject([{ message: expect.stringContaining("cannot connect to postgres://***@db/orders") }]);
    await pool.stop();
  });

  it("is logged without passwords when its runner crashes", async () => {
    const { pool, puppets, lines } = stage();
    await pool.start();
    const crashed = pool.run(execution());
    const stack = `Error: ${message}\n    at file:///app/tasks.ts:1:1`;
    puppets[0]?.say({ type: "crash", run: 1, failure: { name: "Error", message, stack } });
    puppets[0]?.die(message);
    expect(await crashed).toMatchObject({ type: "crashed", reason: expect.not.stringContaining(secret) });
    await until(() => expect(lines.join("")).toContain("runner died"));
    expect(lines.join("")).not.toContain(secret);
    expect(lines.map((line) => JSON.parse(line) as unknown)).toContainEqual(
      expect.objectContaining({
        level: 50,
        error: "Error: cannot connect to postgres://***@db/orders",
        stack: expect.stringContaining("tasks.ts:1:1"),
      }),
    );
    await pool.stop();
  });
});

describe("a runner in which an exception was thrown that nobody caught", () => {
  const failure = { name: "RangeError", message: "belated" };
  const earlier = { task: "bomb", id: newId() };

  it("crashes what it ran, and runs nothing more", async () => {
    const { pool, puppets, lines } = stage();
    await pool.start();
    const first = pool.run(execution());
    puppets[0]?.say({ type: "crash", run: 1, failure });
    puppets[0]?.say(done(1));
    expect(await first).toMatchObject({ type: "succeeded" });
    void pool.run(execution());
    await until(() => expect(puppets).toHaveLength(2));
    expect(puppets[0]?.runs).toEqual([1]);
    expect(lines.join("")).toContain("of no known task and counts as a crash of what ran here");
    puppets[0]?.die("exit code 1");
    await pool.stop();
  });

  it("puts back what was on its way to it", async () => {
    const { pool, puppets, lines } = stage();
    await pool.start();
    const onItsWay = pool.run(execution());
    puppets[0]?.say({ type: "crash", failure, ...earlier });
    puppets[0]?.die("exit code 1");
    expect(await onItsWay).toEqual({ type: "requeued", reason: "puppet 1 ended before it began" });
    const line = lines.map((one) => JSON.parse(one) as object).find((one) => "error" in one);
    expect(line).toMatchObject({ ...earlier, msg: expect.stringContaining("its task had ended") });
    await pool.stop();
  });

  it("of an earlier run finishes what it runs, and is replaced", async () => {
    const { pool, puppets, lines } = stage();
    await pool.start();
    const beside = pool.run(execution());
    puppets[0]?.say({ type: "fault", failure, ...earlier });
    puppets[0]?.say(done(1));
    expect(await beside).toMatchObject({ type: "succeeded" });
    await until(() => expect(puppets).toHaveLength(2));
    await until(() => expect(lines.join("")).toContain("runner ended"));
    puppets[1]?.say({ type: "ready" });
    expect(lines.map((line) => JSON.parse(line) as unknown)).toContainEqual(expect.objectContaining({ level: 50, ...earlier }));
    void pool.run(execution());
    await until(() => expect(puppets[1]?.runs).toEqual([1]));
    await pool.stop();
  });

  it("of an earlier run still takes along what it runs if that kills it", async () => {
    const { pool, puppets } = stage();
    await pool.start();
    const beside = pool.run(execution());
    puppets[0]?.say({ type: "fault", failure, ...earlier });
    puppets[0]?.die("SIGKILL");
    expect(await beside).toMatchObject({ type: "crashed" });
    await pool.stop();
  });
});

describe("what waits for a runner that starts", () => {
  it("gets one that is free before", async () => {
    const { pool, puppets, launches } = stage();
    await pool.start();
    const first = pool.run(execution());
    const second = pool.run(execution());
    await until(() => expect(puppets[0]?.runs).toEqual([1]));
    expect(launches()).toBe(2);
    puppets[0]?.say(done(1));
    expect(await first).toMatchObject({ type: "succeeded" });
    await until(() => expect(puppets[0]?.runs).toEqual([1, 2]));
    puppets[0]?.say(done(2));
    expect(await second).toMatchObject({ type: "succeeded" });
    await pool.stop();
  });

  it("waits no longer when it is asked to end, or the pool ends", async () => {
    const { pool, puppets } = stage();
    await pool.start();
    void pool.run(execution());
    const stop = new Stop();
    const revoked = pool.run(execution(stop));
    const waiting = pool.run(execution());
    stop.request(new Error("enough"));
    expect(await revoked).toMatchObject({ type: "requeued" });
    await pool.stop();
    expect(await waiting).toMatchObject({ type: "requeued" });
    expect(puppets[1]?.runs).toEqual([]);
  });

  it("is run by another when that one dies", async () => {
    const { pool, puppets } = stage();
    await pool.start();
    void pool.run(execution());
    const second = pool.run(execution());
    puppets[1]?.die("SIGKILL");
    await until(() => expect(puppets).toHaveLength(3));
    puppets[2]?.say({ type: "ready" });
    await until(() => expect(puppets[2]?.runs).toEqual([1]));
    puppets[2]?.say(done(1));
    expect(await second).toMatchObject({ type: "succeeded" });
    await pool.stop();
  });
});
