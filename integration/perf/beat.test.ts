import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { eventually } from "../lib/eventually.js";
import type { Program } from "../lib/program.js";
import { openStage, type Stage } from "../beat/stage.js";

const task = "beat.add";

async function setMany(stage: Stage, count: number, entry: Parameters<Stage["app"]["beat"]["set"]>[1]): Promise<void> {
  const names = Array.from({ length: count }, (_, index) => `entry-${index}`);
  for (let from = 0; from < count; from += 500)
    await Promise.all(names.slice(from, from + 500).map((name) => stage.app.beat.set(name, entry)));
}

it("sends a thousand entries that are due in the same second within one", async () => {
  await using stage = openStage({});
  const startAt = new Date(Date.now() + 5000);
  await setMany(stage, 1000, { task, args: [1, 2], schedule: "1h", startAt });
  const beat = stage.beat();
  await beat.waitFor('"msg":"ready"');
  expect(Date.now(), "the entries were stored in time").toBeLessThan(startAt.getTime());
  await eventually("all are sent", async () => (await stage.taken()).length >= 1000);
  const listed = await stage.app.beat.list();
  const late = listed.map(({ last }) => last!.sentAt.getTime() - last!.due.getTime());
  console.log(`1,000 entries due at once: the last is sent ${Math.max(...late)} ms late`);
  expect(Math.max(...late)).toBeLessThanOrEqual(1000);
  expect(new Set((await stage.taken()).map(({ entry }) => entry)).size).toBe(1000);
  expect(await beat.stop()).toEqual({ code: 0, signal: null });
});

it.runIf(process.platform === "linux")("costs next to nothing for ten thousand entries that are not due", async () => {
  const measured = [];
  for (const count of [0, 10_000]) {
    await using stage = openStage({});
    await setMany(stage, count, { task, args: [1, 2], schedule: "1d" });
    const beat = stage.beat();
    await beat.waitFor('"msg":"ready"');
    await eventually("all are computed", async () => (await stage.app.beat.list()).every(({ next }) => next !== undefined));
    const before = usageOf(beat);
    const end = Date.now() + 20_000;
    await eventually("time passes", () => Date.now() > end);
    const after = usageOf(beat);
    measured.push({ cpu: (after.seconds - before.seconds) / 20, memory: after.megabytes });
    await beat.stop();
  }
  const [empty, full] = measured as [(typeof measured)[0], (typeof measured)[0]];
  const [more, base] = [full.memory - empty.memory, empty.memory].map((megabytes) => megabytes.toFixed(1));
  console.log(`idle: ${(full.cpu * 100).toFixed(2)} % of a core, ${more} MB more than the ${base} MB of an empty beat`);
  expect(full.cpu).toBeLessThan(0.01);
  expect(full.memory - empty.memory).toBeLessThan(50);
});

it("is in time when it has little to do", async () => {
  await using stage = openStage({ often: { task, args: [1, 2], schedule: "100ms" } });
  const beat = stage.beat();
  const late = () => beat.entries.flatMap(({ msg, late }) => (msg === "sent" ? [Number(late)] : []));
  await eventually("there are ticks", () => late().length >= 600);
  const sorted = late().toSorted((one, other) => one - other);
  const at = (share: number) => sorted[Math.ceil(sorted.length * share) - 1];
  console.log(`lateness of ${sorted.length} ticks: p50 ${at(0.5)} ms, p99 ${at(0.99)} ms`);
  expect(at(0.99)).toBeLessThanOrEqual(50);
  await beat.stop();
});

/** What a process has used: processor time, and memory as it is now. */
function usageOf({ pid }: Program): { readonly seconds: number; readonly megabytes: number } {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  const [, kilobytes = "0"] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return { seconds: (Number(fields[11]) + Number(fields[12])) / 100, megabytes: Number(kilobytes) / 1024 };
}
