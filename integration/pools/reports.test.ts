import type { Progress } from "@bullrush/client";
import { describe, it } from "vitest";
import { linesOf, open } from "./stage.js";

describe.each(["threads", "processes"])("a worker with %s", (pool) => {
  it.concurrent("shows what a task said last before it computes without a pause, and what it has sent", async ({ expect }) => {
    await using stage = open("-P", pool, "-c", "2", "-l", "debug");
    const { worker, run, send } = stage;
    await run("who");
    const re = await send<string>("report", 2000);
    const reports: Progress[] = [];
    const began = Date.now();
    let lastAfter = Infinity;
    for await (const report of re.iterate({ timeout: "20s" })) {
      reports.push(report);
      lastAfter = Date.now() - began;
    }
    expect(reports.at(-1)).toEqual({ state: "PROGRESS", meta: { current: 1000, total: 1000 } });
    expect(reports.length).toBeLessThan(10);
    expect(lastAfter).toBeLessThan(1900);
    const child = await re.get();
    expect((await re.children()).map(({ id }) => id)).toEqual([child]);
    expect(linesOf(worker, { msg: "state", id: re.id, current: 1000, total: 1000 })).toHaveLength(1);
  });

  it.concurrent("is not flooded by one that does not wait, and shows what it said last", async ({ expect }) => {
    await using stage = open("-P", pool, "-c", "1", "-l", "debug");
    const { worker, send } = stage;
    const re = await send<void>("flood", 1000);
    let last: unknown;
    for await (const { meta } of re.iterate({ timeout: "20s" })) last = meta;
    expect(last).toEqual({ current: 100_000, total: 100_000 });
    expect(linesOf(worker, { msg: "state", id: re.id }).length).toBeLessThan(20);
  });
});
