import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Progress } from "@bullrush/client";
import { describe, it } from "vitest";
import { hangTimeout } from "../lib/hang-timeout.js";
import { linesOf, open } from "./stage.js";

/**
 * Most reports that a worker shows in `ms`: one in 100 ms, the first and the last. Half as many
 * again, because timers differ.
 */
const most = (ms: number) => 3 + ms / 66;

describe.each(["threads", "processes"])("a worker with %s", (pool) => {
  it.concurrent("task that reports and then computes: the report and its children are visible", async ({ expect, onTestFinished }) => {
    const folder = await mkdtemp(join(tmpdir(), "bullrush-report-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    await using stage = open("-P", pool, "-c", "2", "-l", "debug");
    const { worker, run, send } = stage;
    await run("who");
    const heard = join(folder, "heard");
    const began = Date.now();
    const re = await send<string>("report", heard);
    const reports: Progress[] = [];
    for await (const report of re.iterate({ timeout: hangTimeout })) {
      reports.push(report);
      // It computes until this is there: what it said last is shown meanwhile, or never.
      if ((report.meta as { readonly current: number }).current === 1000) await writeFile(heard, "");
    }
    expect(reports.at(-1)).toEqual({ state: "PROGRESS", meta: { current: 1000, total: 1000 } });
    expect(reports.length).toBeLessThan(most(Date.now() - began));
    const child = await re.get();
    expect((await re.children()).map(({ id }) => id)).toEqual([child]);
    expect(linesOf(worker, { msg: "state", id: re.id, current: 1000, total: 1000 })).toHaveLength(1);
  });

  it.concurrent("task that reports without waiting: reports are dropped but for the last", async ({ expect }) => {
    await using stage = open("-P", pool, "-c", "1", "-l", "debug");
    const { worker, send } = stage;
    const began = Date.now();
    const re = await send<void>("flood", 1000);
    let last: unknown;
    for await (const { meta } of re.iterate({ timeout: hangTimeout })) last = meta;
    expect(last).toEqual({ current: 100_000, total: 100_000 });
    expect(linesOf(worker, { msg: "state", id: re.id }).length).toBeLessThan(most(Date.now() - began));
  });
});
