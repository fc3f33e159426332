import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { createApp, type App } from "@bullrush/client";
import { describe, expect, it } from "vitest";
import { eventually } from "../support/eventually.js";
import { startWorker, type WorkerProcess } from "../support/fleet.js";
import { redisUrl } from "../support/redis-url.js";

const fixture = fileURLToPath(new URL("fixtures/tasks.ts", import.meta.url));
const timeout = "20s";

interface Where {
  readonly pid: number;
  readonly thread: number;
}

interface Stage extends AsyncDisposable {
  readonly app: App;
  readonly worker: WorkerProcess;
}

/** A producer, and a worker of the fixture beside it. */
function scene(...args: readonly string[]): Stage {
  const prefix = `pools-${randomUUID()}`;
  const app = createApp({ broker: redisUrl(), prefix, queues: ["one"], defaultQueue: "one" });
  const worker = startWorker({ app: fixture, args, env: { FIXTURE_PREFIX: prefix } });
  return { app, worker, [Symbol.asyncDispose]: async () => void (await Promise.all([app.close(), worker.kill()])) };
}

async function run<Result>(app: App, task: string, ...args: readonly unknown[]): Promise<Result> {
  return (await app.sendTask<Result>(`pools.${task}`, args)).get({ timeout });
}

function codeOf(code: string): object {
  return expect.objectContaining({ cause: expect.objectContaining({ code }) as object }) as object;
}

function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe.concurrent.each(["threads", "processes"])("a worker with %s", (pool) => {
  it("gives its tasks all that they have inline, and ends those that run for too long", async ({ expect }) => {
    await using stage = scene("-P", pool, "-c", "2");
    const { app, worker } = stage;
    const given = await run<Record<string, unknown>>(app, "context", { a: 1 });
    expect(given).toMatchObject({ name: "pools.context", args: [{ a: 1 }], attempt: 1, queue: "one" });
    expect(await app.asyncResult(String(given["child"])).get({ timeout })).toMatchObject({ pid: expect.any(Number) as number });
    await expect(run(app, "unencodable")).rejects.toThrow(codeOf("ENCODE_ERROR"));
    await expect(run(app, "fail")).rejects.toThrow(codeOf("E_RANGE"));
    await expect(run(app, "hang")).rejects.toThrow(codeOf("TIME_LIMIT_EXCEEDED"));
    await expect(run(app, "soft", false)).rejects.toThrow(codeOf("SOFT_TIME_LIMIT_EXCEEDED"));
    expect(await run(app, "soft", true)).toBe("tidied up");
    expect(await worker.stop()).toEqual({ code: 0, signal: null });
  });

  it("replaces runners after their number of tasks, and loses none", async ({ expect }) => {
    await using stage = scene("-P", pool, "-c", "1", "--max-tasks-per-child", "2");
    const { app } = stage;
    const wheres = await Promise.all(Array.from({ length: 6 }, () => run<Where>(app, "who")));
    expect(new Set(wheres.map(({ pid, thread }) => `${pid} ${thread}`)).size).toBe(3);
  });
});

describe.concurrent("a worker", () => {
  it("inline frees the slot at the time limit, and ignores what comes later", async ({ expect }) => {
    await using stage = scene("-c", "1");
    const { app, worker } = stage;
    await expect(run(app, "wait")).rejects.toThrow(codeOf("TIME_LIMIT_EXCEEDED"));
    expect(await run<Where>(app, "who")).toEqual({ pid: worker.pid, thread: 0 });
  });

  it("runs the task of a killed process again at once, and no other", async ({ expect }) => {
    await using stage = scene("-P", "processes", "-c", "2");
    const { app, worker } = stage;
    const struck = await app.sendTask<Where>("pools.hold", [1500]);
    const spared = await app.sendTask<Where>("pools.hold", [1500]);
    await worker.waitForEntry({ msg: "holding", id: spared.id });
    const { pid } = await worker.waitForEntry({ msg: "holding", id: struck.id });
    process.kill(Number(pid), "SIGKILL");
    await worker.waitForEntry({ msg: "crashed", id: struck.id });
    await eventually("it runs again", () => holds(worker, struck.id).length === 2, 2000);
    expect(await struck.get({ timeout })).toMatchObject({ thread: 0 });
    expect(await spared.get({ timeout })).toMatchObject({ thread: 0 });
    expect(holds(worker, spared.id)).toHaveLength(1);
  });

  it("leaves no process behind when it is killed, not even one that computes", async ({ expect }) => {
    await using stage = scene("-P", "processes", "-c", "2");
    const { app, worker } = stage;
    const { id } = await app.sendTask("pools.compute", [60_000]);
    const { pid } = await worker.waitForEntry({ msg: "computing", id });
    await worker.kill();
    await eventually("its runner is gone", () => !lives(Number(pid)), 5000);
    expect(lives(Number(pid))).toBe(false);
  });

  it("replaces processes that hold too much memory, between tasks", async ({ expect }) => {
    await using stage = scene("-P", "processes", "-c", "1", "--max-memory-per-child", "200mb");
    const { app, worker } = stage;
    const pids = await Promise.all(Array.from({ length: 6 }, () => run<number>(app, "leak", 80)));
    expect(new Set(pids).size).toBeGreaterThan(1);
    await worker.waitForEntry({ msg: "runner is replaced", reason: "its memory" });
  });
});

function holds({ entries }: WorkerProcess, id: string): readonly object[] {
  return entries.filter((entry) => entry["msg"] === "holding" && entry["id"] === id);
}
