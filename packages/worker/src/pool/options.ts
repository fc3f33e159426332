import { availableParallelism } from "node:os";
import { maxTimerDelay, toMilliseconds, typeOf, type Duration } from "@bullrush/broker";
import { refuse } from "../refuse.js";

export const poolNames = ["inline", "threads", "processes"] as const;

/** Where tasks run: on the worker's event loop, in threads, in child processes. */
export type PoolName = (typeof poolNames)[number];

/** How many runners there are: more when there is work, fewer when they have been idle. */
export interface Autoscale {
  readonly max: number;
  /** At least 1. */
  readonly min: number;
  /** How long a runner may have nothing to do before it is ended. Default: `"30s"`. */
  readonly idle?: Duration;
}

/** Options of a worker that say where its tasks run. */
export interface PoolOptions {
  /**
   * `inline` (default): on the worker's event loop, for tasks that mostly wait. `threads` and `processes`: each task has a runner of its
   * own while it lasts, for tasks that compute; a process can also be limited in memory, and takes nothing along when it crashes.
   */
  readonly pool?: PoolName;
  /** How many tasks may run at once, over all queues. Default: 100 inline, else the number of cores. */
  readonly concurrency?: number;
  /**
   * The module that exports the app, which each runner loads: a file URL such as `import.meta.url`, or a path, with `:name` behind it if
   * the export is not `app`. Needed for, and only used by, `threads` and `processes`. Where a runner loads a module that starts a worker,
   * that start does nothing.
   */
  readonly module?: string;
  /** Runners on demand; `max` takes the place of `concurrency`. Default: as many as that from the start. Not with `inline`. */
  readonly autoscale?: Autoscale;
  /** A runner is replaced after so many tasks. Default: never. Not with `inline`. */
  readonly maxTasksPerChild?: number;
  /**
   * A process is replaced when it has more resident memory than this after a task: bytes, or `"200mb"` (also kb, gb). Default: never. Only
   * with `processes`.
   */
  readonly maxMemoryPerChild?: number | string;
  /** Whether the stacks of failures, in records and lines, keep the frames of Bullrush and of Node's internals. Default: `false`. */
  readonly fullStacks?: boolean;
}

/** Those options with every default in place. */
export interface CompiledPoolOptions {
  readonly pool: PoolName;
  readonly concurrency: number;
  readonly module: string | undefined;
  /** `idle` is in ms. */
  readonly autoscale: { readonly max: number; readonly min: number; readonly idle: number } | undefined;
  /** `Infinity` for never. */
  readonly maxTasksPerChild: number;
  /** In bytes; `Infinity` for never. */
  readonly maxMemoryPerChild: number;
  readonly fullStacks: boolean;
}

/** Throws `INVALID_OPTION` for what does not fit, or does not fit the pool. */
export function compilePool(given: PoolOptions): CompiledPoolOptions {
  const { pool = "inline", module, maxTasksPerChild, maxMemoryPerChild, fullStacks = false } = given;
  if (typeof fullStacks !== "boolean") refuse("fullStacks", typeOf(fullStacks), "true or false");
  if (!poolNames.includes(pool)) refuse("pool", JSON.stringify(pool), poolNames.join(", "));
  if (pool === "inline")
    refuseAll(["autoscale", "maxTasksPerChild", "maxMemoryPerChild"], given, "the pool threads or processes: inline has no children");
  if (pool === "threads") refuseAll(["maxMemoryPerChild"], given, "the pool processes: threads share one memory");
  if (pool !== "inline" && module === undefined) {
    refuse("module", "missing", `the module that exports the app, such as import.meta.url, which each runner of the pool ${pool} loads`);
  }
  if (module !== undefined && typeof module !== "string") refuse("module", typeOf(module), "a path or a file URL, as a string");
  const autoscale = given.autoscale === undefined ? undefined : compileAutoscale(given.autoscale);
  const concurrency = autoscale?.max ?? given.concurrency ?? (pool === "inline" ? 100 : availableParallelism());
  checkCount("concurrency", concurrency);
  if (maxTasksPerChild !== undefined) checkCount("maxTasksPerChild", maxTasksPerChild);
  return {
    pool,
    concurrency,
    module,
    autoscale,
    maxTasksPerChild: maxTasksPerChild ?? Infinity,
    maxMemoryPerChild: maxMemoryPerChild === undefined ? Infinity : compileSize(maxMemoryPerChild, "maxMemoryPerChild"),
    fullStacks,
  };
}

function refuseAll(options: readonly (keyof PoolOptions)[], given: PoolOptions, expected: string): void {
  for (const option of options) if (given[option] !== undefined) refuse(option, `given with the pool ${given.pool ?? "inline"}`, expected);
}

function compileAutoscale({ max, min, idle = "30s" }: Autoscale): CompiledPoolOptions["autoscale"] {
  checkCount("the max of autoscale", max);
  checkCount("the min of autoscale", min);
  if (min > max) refuse("autoscale", `${max},${min}`, "the most first, then the least");
  const longest = toMilliseconds(idle, "the idle of autoscale");
  if (longest > maxTimerDelay) refuse("the idle of autoscale", `${longest} ms`, "at most 24 days");
  return { max, min, idle: longest };
}

function checkCount(option: string, count: number): void {
  if (!Number.isInteger(count) || count < 1) refuse(option, String(count), "a whole number from 1");
}

const units: Readonly<Record<string, number>> = { kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3 };

/** In bytes. A string without a unit is refused: Celery reads it as kilobytes. */
function compileSize(given: number | string, option: string): number {
  const [, digits, unit = ""] = /^(\d{1,9})(kb|mb|gb)$/i.exec(String(given)) ?? [];
  const bytes = typeof given === "number" ? given : Number(digits) * (units[unit.toLowerCase()] ?? Number.NaN);
  if (Number.isFinite(bytes) && bytes >= 1) return bytes;
  return refuse(
    option,
    JSON.stringify(typeof given === "string" ? given.slice(0, 80) : given),
    typeof given === "string" && /^\d{1,9}$/.test(given)
      ? `a size with its unit: write "${given}kb", as Celery reads it, or "${given}mb"`
      : 'a number of bytes, or a size such as "200mb" (kb, mb or gb)',
  );
}
