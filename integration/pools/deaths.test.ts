import { randomUUID } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createApp } from "@bullrush/client";
import { describe, it } from "vitest";
import { eventually } from "../lib/eventually.js";
import { hangTimeout } from "../lib/hang-timeout.js";
import { long } from "../lib/long.js";
import { startWorker } from "../lib/task-worker.js";
import { makeProject } from "../lib/project.js";
import { redisUrl } from "../lib/redis-url.js";
import { failedOf, linesOf, lives, open, type Where } from "./stage.js";

describe.each(["threads", "processes"])("a worker with %s", (pool) => {
  it.concurrent("task that keeps ending its runner: poisoned, and no other task", async ({ expect }) => {
    await using stage = open("-P", pool, "-c", "2");
    const { worker, run, send } = stage;
    const neighbour = await send<Where>("hold", 1500);
    await worker.waitForEntry({ msg: "holding", id: neighbour.id });
    const killer = await send("killer");
    await expect(killer.get({ timeout: hangTimeout })).rejects.toThrow(failedOf({ code: "TASK_POISONED" }));
    expect(linesOf(worker, { msg: "received", id: killer.id })).toHaveLength(3);
    expect(linesOf(worker, { msg: "crashed", id: killer.id })).toHaveLength(3);
    await neighbour.get({ timeout: hangTimeout });
    expect(linesOf(worker, { msg: "holding", id: neighbour.id })).toHaveLength(1);

    const once = await send("killerOnce");
    await expect(once.get({ timeout: hangTimeout })).rejects.toThrow(failedOf({ code: "WORKER_LOST" }));
    expect(linesOf(worker, { msg: "received", id: once.id })).toHaveLength(1);
    await run("who");
  });

  it.concurrent("uncaught exception in a runner: the runner is replaced", async ({ expect }) => {
    await using stage = open("-P", pool, "-c", "1");
    const { worker, run, send } = stage;
    const before = await run<Where>("who");
    const exploding = await send("explode");
    await expect(exploding.get({ timeout: hangTimeout })).rejects.toThrow(failedOf({ code: "TASK_POISONED" }));
    await worker.waitForEntry({ level: 50, id: exploding.id, error: "RangeError: far away" });
    await worker.waitForEntry({ msg: "crashed", id: exploding.id });
    expect(await run("who")).not.toEqual(before);
    expect(await worker.stop()).toEqual({ code: 0, signal: null });
  });
});

// What follows is the same code for both: one of them in the gate.
describe.each(long ? ["threads", "processes"] : ["threads"])("a worker with %s", (pool) => {
  it.concurrent("late exception of an earlier task: the current run goes on, then the runner is replaced", async ({ expect }) => {
    await using stage = open("-P", pool, "-c", "1");
    const { worker, run, send } = stage;
    const bomb = await send<Where>("bomb", "beside");
    const beside = await send<Where>("hold", 2000);
    const line = await worker.waitForEntry({ error: "RangeError: belated" });
    expect(line).toMatchObject({ level: 50, task: "pools.bomb", id: bomb.id, msg: expect.stringContaining("its task had ended") });
    expect(await beside.get({ timeout: hangTimeout })).toEqual(await bomb.get({ timeout: hangTimeout }));
    expect(await run("who")).not.toEqual(await bomb.get());
    await worker.waitForEntry({ msg: "runner ended" });
    expect(linesOf(worker, { msg: "holding" })).toHaveLength(1);
    expect(linesOf(worker, { msg: "crashed" })).toEqual([]);
  });

  it.concurrent("stop: ends even if a runner is blocked, and another worker goes on", async ({ expect }) => {
    await using stage = open("-P", pool, "-c", "1", "--shutdown-timeout", "300ms");
    const { worker, send } = stage;
    const spinning = await send("spin");
    await worker.waitForEntry({ msg: "spinning", id: spinning.id });
    const other = stage.another("-P", pool, "-c", "1");
    await other.ready;
    worker.signal("SIGTERM");
    await other.waitForEntry({ msg: "received", id: spinning.id, attempt: 1 });
    expect(await worker.exit).toEqual({ code: 0, signal: null });
  });

  it.concurrent("ends when its runners cannot load the app", async ({ expect }) => {
    using project = makeProject({
      "tasks.mjs": `
        import { isMainThread } from "node:worker_threads";
        import { createApp } from "@bullrush/client";
        if (!isMainThread || process.send !== undefined) throw new TypeError("not in here");
        export const app = createApp({ queues: ["unloadable-${pool}"], defaultQueue: "unloadable-${pool}" });`,
    });
    await using worker = startWorker({ app: "tasks.mjs", args: ["-P", pool], cwd: project.directory });
    expect(await worker.exit).toEqual({ code: 1, signal: null });
    expect(worker.errors).toEqual([expect.stringMatching(/^task-worker: .*cannot load the app: .*TypeError: not in here/)]);
  });
});

describe.each(long ? ["threads", "processes"] : ["processes"])("a worker with %s", (pool) => {
  it.concurrent("ends a runner that runs nothing, and names the task that threw, and the one that left a rejection", async ({ expect }) => {
    await using stage = open("-P", pool, "-c", "1");
    const { worker, run, send } = stage;
    const litter = await send("litter");
    await worker.waitForEntry({ level: 50, task: "pools.litter", id: litter.id, error: "RangeError: left behind" });
    const bomb = await send<Where>("bomb", "idle");
    const line = await worker.waitForEntry({ error: "RangeError: belated" });
    expect(line).toMatchObject({ level: 50, task: "pools.bomb", id: bomb.id, msg: expect.stringContaining("its task had ended") });
    await worker.waitForEntry({ msg: "runner died" });
    expect(await run("who")).not.toEqual(await bomb.get());
    expect(linesOf(worker, { msg: "crashed" })).toEqual([]);
  });
});

describe("a worker with processes", () => {
  it.concurrent("runs the task of a killed one again at once, and no other", async ({ expect }) => {
    await using stage = open("-P", "processes", "-c", "2");
    const { worker, send } = stage;
    await worker.waitForEntry({ msg: "runner started", runners: 2 });
    const struck = await send<Where>("hold", 1500);
    const spared = await send<Where>("hold", 1500);
    await worker.waitForEntry({ msg: "holding", id: spared.id });
    const { pid } = await worker.waitForEntry({ msg: "holding", id: struck.id });
    process.kill(Number(pid), "SIGKILL");
    const starts = () => linesOf(worker, { msg: "holding", id: struck.id });
    await eventually("it runs again", () => starts().length === 2);
    expect((await struck.get({ timeout: hangTimeout })).pid).not.toBe(pid);
    await spared.get({ timeout: hangTimeout });
    expect(linesOf(worker, { msg: "crashed" })).toMatchObject([{ id: struck.id, reason: `pool process ${Number(pid)} died (SIGKILL)` }]);
    expect([...starts(), ...linesOf(worker, { msg: "holding", id: spared.id })]).toHaveLength(3);
  });

  it.concurrent("killed: leaves no runner behind, not even a computing one", async ({ expect }) => {
    await using stage = open("-P", "processes", "-c", "2");
    const { worker, send } = stage;
    const { id } = await send("compute", 600_000);
    await worker.waitForEntry({ msg: "computing", id });
    await worker.waitForEntry({ msg: "runner started", runners: 2 });
    const pids = linesOf(worker, { msg: "runner started" }).map(({ pid }) => Number(pid));
    expect(pids).toHaveLength(2);
    await worker.kill();
    await eventually("its runners are gone", () => !pids.some(lives));
  });

  it.concurrent("ends when it can replace none, and leaves the task to others", async ({ expect, onTestFinished }) => {
    const prefix = `pools-${randomUUID()}`;
    using project = makeProject({
      "tasks.mjs": `
        import { existsSync } from "node:fs";
        import { createApp } from "@bullrush/client";
        if (existsSync("broken")) throw new TypeError("broken by now");
        export const app = createApp({ prefix: "${prefix}" });
        app.task("quit", () => process.exit(3));`,
    });
    const app = createApp({ broker: redisUrl(), prefix });
    onTestFinished(() => app.close());
    await using worker = startWorker({ app: "tasks.mjs", args: ["-P", "processes", "-c", "1"], cwd: project.directory });
    await worker.ready;
    writeFileSync(join(project.directory, "broken"), "");
    await app.sendTask("quit");
    expect(await worker.exit).toEqual({ code: 1, signal: null });
    const { reason } = await worker.waitForEntry({ level: 60, msg: "the worker cannot go on" });
    expect(reason).toContain("cannot load the app: no app in");
    expect(reason).toContain("TypeError: broken by now");
    expect(await app.engine.queues.counts(["default"])).toMatchObject([{ waiting: 1, active: 0 }]);
  });

  it.concurrent.for([
    ["SIGINT", "as Ctrl-C sends it"],
    ["SIGHUP", "as a terminal that is closed sends it"],
  ] as const)("finishes what runs when all of them get a %s, %s", async ([signal], { expect }) => {
    await using stage = open("-P", "processes", "-c", "1");
    const { worker, send } = stage;
    const running = await send("hold", 1000);
    const { pid } = await worker.waitForEntry({ msg: "holding", id: running.id });
    process.kill(Number(pid), signal);
    worker.signal(signal);
    await running.get({ timeout: hangTimeout });
    expect(await worker.exit).toEqual({ code: 0, signal: null });
    expect(linesOf(worker, { msg: "received" })).toHaveLength(1);
    expect(lives(Number(pid))).toBe(false);
  });
});
