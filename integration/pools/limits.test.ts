import { setTimeout as pause } from "node:timers/promises";
import { TaskRevokedError } from "@bullrush/client";
import { describe, it } from "vitest";
import { hangTimeout } from "../lib/hang-timeout.js";
import { failedOf, linesOf, open, type Where } from "./stage.js";

describe.each(["threads", "processes"])("a worker with %s", (pool) => {
  it.concurrent("time limit: ends a run, a computing one too, and replaces the runner", async ({ expect }) => {
    await using stage = open("-P", pool, "-c", "1");
    const { app, worker, run } = stage;
    const before = await run<Where>("who");
    await expect(run("hang")).rejects.toThrow(failedOf({ code: "TIME_LIMIT_EXCEEDED" }));
    expect(await run("who")).not.toEqual(before);
    await expect(run("soft", false)).rejects.toThrow(failedOf({ code: "SOFT_TIME_LIMIT_EXCEEDED" }));
    expect(await run("soft", true)).toBe("tidied up");
    const deaf = await app.sendTask("pools.spin", [], { softTimeLimit: 100, timeLimit: 300 });
    await expect(deaf.get({ timeout: hangTimeout })).rejects.toThrow(failedOf({ code: "TIME_LIMIT_EXCEEDED" }));
    expect(linesOf(worker, { msg: "received", id: deaf.id })).toHaveLength(1);
  });

  it.concurrent("revoke with terminate: ends a run, a computing one too", async ({ expect }) => {
    await using stage = open("-P", pool, "-c", "1");
    const { app, worker, run, send } = stage;
    const asked = await send("hold", 60_000);
    await worker.waitForEntry({ msg: "holding", id: asked.id });
    expect(await app.revoke(asked.id)).toBe(true);
    await worker.waitForEntry({ msg: "asked to end", id: asked.id, revoked: true });

    const killed = await send("spin");
    await worker.waitForEntry({ msg: "spinning", id: killed.id });
    expect(await app.revoke(killed.id, { terminate: true })).toBe(true);
    await worker.waitForEntry({ msg: "runner ended" });
    await expect(killed.get({ timeout: hangTimeout })).rejects.toThrow(TaskRevokedError);
    expect(await killed.status()).toBe("REVOKED");
    await run("who");
  });
});

describe("a worker with processes", () => {
  it.concurrent("renews the leases of tasks that compute for longer than those last", async ({ expect }) => {
    await using stage = open("-P", "processes", "-c", "2", "--lease", "4s");
    const { worker, send } = stage;
    const burning = await Promise.all([send("compute", 10_000), send("compute", 10_000)]);
    await Promise.all(burning.map(({ id }) => worker.waitForEntry({ msg: "computing", id })));
    // It would be PENDING while it is on loan to nobody.
    const seen = new Set<string>();
    while (!(await burning[1]?.ready())) {
      for (const result of burning) seen.add(await result.status());
      await pause(50);
    }
    for (const result of burning) await result.get({ timeout: hangTimeout });
    seen.delete("SUCCESS");
    expect([...seen]).toEqual(["STARTED"]);
    expect(linesOf(worker, { msg: "received" })).toHaveLength(2);
  });
});

describe("a worker with inline", () => {
  it.concurrent("time limit inline: frees the slot, and ignores the later outcome", async ({ expect }) => {
    await using stage = open("-c", "1");
    const { worker, run, send } = stage;
    const late = await send("late");
    await expect(late.get({ timeout: hangTimeout })).rejects.toThrow(failedOf({ code: "TIME_LIMIT_EXCEEDED" }));
    expect(linesOf(worker, { msg: "late" })).toEqual([]);
    expect(await run("who")).toEqual({ pid: worker.pid, thread: 0 });
    await worker.waitForEntry({ msg: "late", id: late.id });
    expect(await run("who")).toEqual({ pid: worker.pid, thread: 0 });
    expect(await late.status()).toBe("FAILURE");
    expect(linesOf(worker, { msg: "succeeded", id: late.id })).toEqual([]);
    await expect(run("soft", false)).rejects.toThrow(failedOf({ code: "SOFT_TIME_LIMIT_EXCEEDED" }));
    expect(await run("soft", true)).toBe("tidied up");
  });

  it.concurrent("blocked event loop: the log names the task", async () => {
    await using stage = open("--lease", "1s");
    await stage.run("compute", 600);
    await stage.worker.waitForEntry({ level: 40, lease: 1000, tasks: ["pools.compute"] });
  });
});
