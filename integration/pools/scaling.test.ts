import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, it } from "vitest";
import { openFleet } from "../lib/fleet.js";
import { eventually } from "../lib/eventually.js";
import { hangTimeout } from "../lib/hang-timeout.js";
import { linesOf, lives, open, type Where } from "./stage.js";

describe("tasks that keep their thread", () => {
  it.concurrent.for(["threads", "processes"])("run at the same time in two %s", async (pool, { expect, onTestFinished }) => {
    const folder = mkdtempSync(join(tmpdir(), "bullrush-meeting-"));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    await using stage = open("-P", pool, "-c", "2");
    const met = await Promise.all([1, 2].map(() => stage.run<Where>("meet", folder, 2)));
    expect(met[0]).not.toEqual(met[1]);
  });

  it.concurrent("run one after the other inline", async ({ expect }) => {
    await using stage = open("-c", "4");
    const sent = await Promise.all([1, 2].map(() => stage.send("compute", 500)));
    await Promise.all(sent.map((one) => one.get({ timeout: hangTimeout })));
    const order = stage.worker.entries.map(({ msg }) => msg).filter((msg) => msg === "computing" || msg === "computed");
    expect(order).toEqual(["computing", "computed", "computing", "computed"]);
  });
});

describe("processes", () => {
  it.concurrent("start in a burst, and end after it", async ({ expect }) => {
    const module = fileURLToPath(new URL("../faults/fixtures/tasks.mjs", import.meta.url));
    const autoscale = { max: 4, min: 1, idle: "300ms" } as const;
    await using fleet = openFleet({ worker: { pool: "processes", module, autoscale } });
    const { app, ledger } = fleet;
    fleet.start("one");
    const burst = await Promise.all(Array.from({ length: 12 }, () => app.sendTask("hold", [500])));
    await Promise.all(burst.map((result) => result.get({ timeout: hangTimeout })));
    const pids = [...new Set(ledger.read().map(({ pid }) => pid))];
    expect(pids).toHaveLength(4);
    await eventually("one is left", () => pids.filter(lives).length === 1);
    await (await app.sendTask("hold", [0])).get({ timeout: hangTimeout });
    expect(pids).toContain(ledger.read().at(-1)?.pid);
    expect([...ledger.starts().values()]).toEqual(Array(13).fill(1));
  });

  it.concurrent("that hold too much memory are replaced, between tasks", async ({ expect }) => {
    await using stage = open("-P", "processes", "-c", "1", "--max-memory-per-child", "250mb");
    const { worker, run } = stage;
    const pids = await Promise.all(Array.from({ length: 6 }, () => run<number>("leak", 80)));
    // Each has room for one or two more.
    expect(new Set(pids).size).toBeGreaterThan(1);
    expect(new Set(pids).size).toBeLessThan(6);
    await worker.waitForEntry({ msg: "runner is replaced", reason: "its memory" });
    expect(linesOf(worker, { msg: "received" })).toHaveLength(6);
  });
});
