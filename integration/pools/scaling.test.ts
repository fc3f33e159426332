import { fileURLToPath } from "node:url";
import { describe, it } from "vitest";
import { openFleet } from "../lib/fleet.js";
import { eventually } from "../lib/eventually.js";
import { hangTimeout } from "../lib/hang-timeout.js";
import { linesOf, lives, open, type Where } from "./stage.js";

interface Burnt extends Where {
  readonly startedAt: number;
  readonly endedAt: number;
}

/** How long four tasks took that each kept their thread busy for 400 ms, from the first beginning to the last end. */
async function spanOf(...args: readonly string[]): Promise<number> {
  await using stage = open(...args);
  const { worker, run } = stage;
  await worker.ready;
  if (args.includes("-P")) await eventually("both runners have started", () => linesOf(worker, { msg: "runner started" }).length === 2);
  const burnt = await Promise.all(Array.from({ length: 4 }, () => run<Burnt>("compute", 400)));
  return Math.max(...burnt.map(({ endedAt }) => endedAt)) - Math.min(...burnt.map(({ startedAt }) => startedAt));
}

describe("tasks that compute", () => {
  it("take half as long in two threads or processes as inline", async ({ expect }) => {
    const inline = await spanOf("-c", "4");
    expect(inline).toBeGreaterThanOrEqual(4 * 400);
    expect((await spanOf("-P", "threads", "-c", "2")) / inline).toBeLessThan(0.75);
    expect((await spanOf("-P", "processes", "-c", "2")) / inline).toBeLessThan(0.75);
  });
});

describe("processes", () => {
  it.concurrent("come with a burst and go when it is over", async ({ expect }) => {
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
