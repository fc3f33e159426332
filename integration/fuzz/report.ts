import type { IdleFigures, MemoryFigures, RedisFigures } from "./judge.js";
import type { SlowCall } from "./measuring.js";
import type { Stage } from "./stage.js";

/** Figures for people, a line each: of each process, and in brackets of its twin. */

export function shownCpu({ cpu, after }: IdleFigures): string {
  const each = cpu.map(([ms, its]) => `${ms.toFixed(1)} (${its.toFixed(1)})`);
  return `idle after ${(after / 1000).toFixed(1)} s, ms of CPU a second: ${each.join(", ")}`;
}

export function shownMemory(figures: MemoryFigures): string {
  const each = figures.map((pair) => pair.map(({ heap, rss }) => `${heap.toFixed(0)}/${rss.toFixed(0)}`));
  return `heap/RSS in MiB: ${each.map(([its, twins]) => `${its} (${twins})`).join(", ")}`;
}

export function shownRedis({ fuzzed, twin }: RedisFigures): string {
  const shown = (call: SlowCall | undefined) => (call === undefined ? "under 5 ms" : `${call.ms.toFixed(1)} ms, ${call.command}`);
  return `Redis's longest call: ${shown(fuzzed)} (${shown(twin)})`;
}

/** The most frequent log lines of the processes. */
export function shownTally({ members }: Stage): string {
  const counts = new Map<string, number>();
  for (const { program } of members) {
    for (const { msg } of program.entries) if (msg !== "memory") counts.set(String(msg), (counts.get(String(msg)) ?? 0) + 1);
  }
  const most = [...counts].toSorted(([, one], [, other]) => other - one).slice(0, 12);
  return `said: ${most.map(([msg, count]) => `${count} × ${msg.slice(0, 60)}`).join("; ")}`;
}

/** All that they wrote, clipped. */
export function logOf({ members }: Stage): readonly string[] {
  return members.flatMap(({ name, program }) => [name, ...[...program.lines, ...program.errors].map((line) => `  ${line.slice(0, 1000)}`)]);
}
