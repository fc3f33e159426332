import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import type { Redis } from "ioredis";
import type { Member, Stage } from "./stage.js";
import { planterName } from "./planter.js";

/** Whether the system reports how long threads ran. */
export const tellsCpu = process.platform === "linux";

/**
 * For how long the threads of a process ran since they were started, in ms. A dead process ran for
 * 0 ms.
 */
function cpuOf(pid: number): number {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    const times = threads.map((thread) => Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]));
    return times.reduce((sum, time) => sum + time, 0) / 1e6;
  } catch {
    return 0;
  }
}

/** For how many ms of the next `ms` each of these ran. */
export async function cpuDuring(ms: number, members: readonly Member[]): Promise<readonly number[]> {
  const before = members.map(({ program }) => cpuOf(program.pid));
  await pause(ms);
  return members.map(({ program }, index) => cpuOf(program.pid) - (before[index] ?? 0));
}

/** In MiB. */
export interface Memory {
  readonly heap: number;
  readonly rss: number;
}

/** What a process holds once it has thrown away what it does not need. */
export async function memoryOf({ program }: Member): Promise<Memory> {
  const earlier = program.entries.filter(({ msg }) => msg === "memory").length;
  program.signal("SIGUSR2");
  const end = Date.now() + 30_000;
  for (;;) {
    const entry = program.entries.filter(({ msg }) => msg === "memory")[earlier];
    if (entry !== undefined) return { heap: Number(entry["heapUsed"]) / 2 ** 20, rss: Number(entry["rss"]) / 2 ** 20 };
    if (Date.now() > end) throw new Error("a process does not say how much memory it has");
    await pause(20);
  }
}

/** A call that Redis took long for. */
export interface SlowCall {
  readonly ms: number;
  readonly command: string;
}

/**
 * The calls that Redis took longest for since its log of slow ones was last emptied, the longest
 * first. Those of whoever plants do not count, and not those that send a script: Redis compiles it,
 * which happens once. The script itself counts from its second run on, by `EVALSHA`.
 */
export async function slowCalls({ redis }: Stage): Promise<readonly SlowCall[]> {
  const rows = (await redis.call("SLOWLOG", "GET", "-1")) as [number, number, number, string[], string, string][];
  return rows
    .filter(([, , , [name = ""], , client]) => client !== planterName && !["eval", "script"].includes(name.toLowerCase()))
    .map(([, , micros, args]) => ({ ms: micros / 1000, command: args.slice(0, 5).join(" ").slice(0, 120) }))
    .toSorted((one, other) => other.ms - one.ms);
}

export async function forgetSlowCalls({ redis }: { readonly redis: Redis }): Promise<void> {
  await redis.call("SLOWLOG", "RESET");
}
