import { spawnSync } from "node:child_process";

/** The core of each, so that Redis and Node never take turns on one. */
export interface Pinning {
  readonly redis: number;
  readonly node: number;
}

/**
 * The first two cores that this process may use; `undefined` without `taskset` or with fewer cores.
 */
export function findPinning(): Pinning | undefined {
  const { status, stdout } = spawnSync("taskset", ["-cp", String(process.pid)], { encoding: "utf8" });
  if (status !== 0) return undefined;
  const [redis, node] = coresIn(stdout.slice(stdout.lastIndexOf(":") + 1));
  return redis === undefined || node === undefined ? undefined : { redis, node };
}

/** Pins a running process, all of its threads. */
export function pin(pid: number, core: number): void {
  const { status, stderr } = spawnSync("taskset", ["-acp", String(core), String(pid)], { encoding: "utf8" });
  if (status !== 0) throw new Error(`process ${pid} not pinned to core ${core}: ${stderr}`);
}

/** The cores in a list such as `0,2-5`. */
function coresIn(list: string): readonly number[] {
  return list.split(",").flatMap((range) => {
    const [first = NaN, last = first] = range.split("-").map(Number);
    return Array.from({ length: last - first + 1 }, (_, index) => first + index);
  });
}
