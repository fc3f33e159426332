import { rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "vitest";
import { hangTimeout } from "../lib/hang-timeout.js";
import { long } from "../lib/long.js";
import { failedOf, linesOf, open, type Where } from "./stage.js";

describe.each(["threads", "processes"])("a worker with %s", (pool) => {
  it.concurrent("tasks have the context that they have inline, and a new runner after maxTasksPerChild", async ({ expect }) => {
    await using stage = open("-P", pool, "-c", "1", "--max-tasks-per-child", "2", "--time-limit", "5m");
    const { app, run, worker } = stage;
    const wheres = await Promise.all(Array.from({ length: 6 }, () => run<Where>("who")));
    expect(new Set(wheres.map(({ pid, thread }) => `${pid} ${thread}`)).size).toBe(3);
    const given = await run<Record<string, unknown>>("context", { a: 1 });
    expect(given).toMatchObject({ name: "pools.context", args: [{ a: 1 }], attempt: 1, queue: "one" });
    expect(given["limits"]).toEqual({ priority: 0, timeLimit: 300_000 });
    expect(await app.asyncResult(String(given["child"])).get({ timeout: hangTimeout })).toMatchObject({
      pid: expect.any(Number) as number,
    });
    expect(await worker.stop()).toEqual({ code: 0, signal: null });
  });

  it.concurrent("messages of runners are read, and messages of tasks on the same channel ignored", async ({ expect }) => {
    await using stage = open("-P", pool, "-c", "1");
    const { run, worker } = stage;
    const first = await run<Where>("talk");
    expect(await run("who")).toEqual(first);
    expect(await run("talk")).toEqual(first);
    expect(await worker.stop()).toEqual({ code: 0, signal: null });
    expect(worker.entries.filter(({ level }) => Number(level) > 30)).toEqual([]);
  });

  it.concurrent("failures keep their reason, a retry its arguments, and a reject is a dead letter", async ({ expect }) => {
    await using stage = open("-P", pool, "-c", "1");
    const { app, worker, run, send } = stage;
    await expect(run("unencodable")).rejects.toThrow(failedOf({ code: "ENCODE_ERROR" }));
    await expect(run("fail")).rejects.toThrow(failedOf({ name: "RangeError", message: "out of range", code: "E_RANGE" }));
    const asked = await send("again", [0]);
    const declared = await send("overloaded", [0]);
    for (const result of [asked, declared]) {
      expect(await result.get({ timeout: hangTimeout })).toEqual([0, 3]);
      const errors = linesOf(worker, { msg: "retried", id: result.id }).map(({ error }) => error);
      expect(errors).toEqual(["Overloaded: attempt 1", "Overloaded: attempt 2"]);
    }
    await expect(run("unlisted")).rejects.toThrow(failedOf({ name: "RangeError", message: "attempt 1" }));
    await expect(run("giveUp")).rejects.toThrow(failedOf({ name: "Overloaded", message: "attempt 2", code: "E_LOAD" }));
    await expect(run("refuse")).rejects.toThrow(failedOf({ code: "TASK_REJECTED" }));
    expect(await run("putBackOnce")).toBe(1);
    expect(await app.engine.queues.counts(["one"])).toMatchObject([{ waiting: 0, delayed: 0, active: 0 }]);
  });
});

// What follows is the same code for both: one of them in the gate.
describe.each(long ? ["threads", "processes"] : ["threads"])("a worker with %s", (pool) => {
  it.concurrent("task that waits for others in its slot: one warning, and its timeout names the pool", async ({ expect }) => {
    await using stage = open("-P", pool, "-c", "1");
    const { run, worker } = stage;
    const hint = expect.stringMatching(new RegExp(`no result after 300 ms.*keeps its slot.*the pool ${pool}: .*this\\.replace\\(\\)`));
    for (let times = 0; times < 2; times++)
      await expect(run("ask")).rejects.toThrow(failedOf({ code: "TASK_TIMEOUT", message: hint as string }));
    await run("askAgain");
    const warnings = worker.entries.filter(({ level }) => level === 40).map(({ task, msg }) => [task, msg]);
    const text = expect.stringMatching(/^a task waits for others and keeps its slot.*this\.replace\(\).*chain/) as unknown;
    expect(warnings).toEqual([
      ["pools.ask", text],
      ["pools.askAgain", text],
    ]);
  });

  it.concurrent("value that nobody reads and that cannot be sent: one warning, and no failure", async ({ expect }) => {
    await using stage = open("-P", pool, "-c", "2");
    const { app, worker } = stage;
    for (let times = 0; times < 3; times++) {
      const { id } = await app.sendTask("pools.unencodable", [], { ignoreResult: true });
      await worker.waitForEntry({ msg: "succeeded", id });
    }
    const warnings = worker.entries.filter(({ level }) => Number(level) >= 40);
    expect(warnings).toMatchObject([{ level: 40, task: "pools.unencodable", reason: expect.stringContaining("a bigint") as string }]);
  });
});

describe.each(long ? ["threads", "processes"] : ["processes"])("a worker with %s", (pool) => {
  it.concurrent("expired, revoked or poisoned after a failed attempt: the result names that failure", async ({ expect }) => {
    await using stage = open("-P", pool, "-c", "1");
    const { app, send } = stage;
    const bankDown = expect.objectContaining({ name: "RangeError", message: "bank down" }) as object;
    const expiring = await app.sendTask("pools.muchLater", [], { expires: "5m" });
    await expect(expiring.get({ timeout: hangTimeout })).rejects.toThrow(failedOf({ message: "bank down" }));
    const revoked = await send("muchLater");
    await expect.poll(() => revoked.status()).toBe("RETRY");
    await revoked.revoke();
    await expect(revoked.get({ timeout: hangTimeout })).rejects.toThrow(failedOf({ message: "bank down" }));
    const poisoned = await send("dieLater");
    await expect(poisoned.get({ timeout: hangTimeout })).rejects.toThrow(failedOf({ code: "TASK_POISONED", cause: bankDown }));
  });

  it.concurrent("task that the runner does not know: goes back, and a newer worker runs it", async ({ expect }) => {
    await using stage = open("-P", pool, "-c", "1", "--max-tasks-per-child", "1");
    const { app, worker, send } = stage;
    const released = join(tmpdir(), `${app.options.prefix}-released`);
    try {
      const fresh = await send("fresh");
      const line = await worker.waitForEntry({ msg: "put back for workers that may know it", task: "pools.fresh" });
      expect(line).toMatchObject({ reason: expect.not.stringContaining("pools.fresh,") as string });
      await writeFile(released, "");
      expect(await fresh.get({ timeout: hangTimeout })).toBe("fresh");
      expect(await fresh.attempts()).toBe(1);
    } finally {
      await rm(released, { force: true });
    }
  });
});
