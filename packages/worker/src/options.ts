import { checkQueueName, toMilliseconds, type Duration } from "@bullrush/broker";
import { expandName } from "@bullrush/program";
import type { Logger } from "pino";
import { compilePool, type CompiledPoolOptions, type PoolOptions } from "./pool/options.js";
import { refuse } from "./refuse.js";

/** Options of a worker. All have defaults. */
export interface WorkerOptions extends PoolOptions {
  /** Queues to take from, each with a weight if it should get more turns than others: `"a"`, `"a:3"` or `{ name: "a", weight: 3 }`. Default: all that the app declares. */
  readonly queues?: readonly (string | { readonly name: string; readonly weight?: number })[];
  /** Queues to leave out. Default: none. */
  readonly excludeQueues?: readonly string[];
  /** `round-robin` (default): the queues in turn, by weight. `strict`: a queue only while those before it are empty. */
  readonly order?: "round-robin" | "strict";
  /**
   * Shown wherever a worker is named: up to 200 characters, no whitespace. `%h` stands for the host, `%n` for its first part, `%d` for the rest, `%p` for the process id,
   * `%%` for a `%`. Default: `worker@%h`, or the first of `worker2@%h`, `worker3@%h` and so on that no other live worker bears.
   */
  readonly name?: string;
  /** How long after a worker's death its tasks stay with it; renewed while they run. 1 s to 24 days. Default: `"15s"`. */
  readonly lease?: Duration;
  /** How often to look for tasks whose lease has run out: they run again at most two such times after that. 100 ms to 24 days. Default: `"5s"`. */
  readonly scan?: Duration;
  /** How long a task may run before it is killed, unless it or its call says otherwise. 1 ms to 24 days. Default: no limit. */
  readonly timeLimit?: Duration;
  /** How long a task may run before its `signal` aborts, unless it or its call says otherwise; shorter than `timeLimit`. Default: no limit. */
  readonly softTimeLimit?: Duration;
  /**
   * How long a message that this worker does not know, because its task is not registered here or because it is of another version, is put back for other workers before it fails. 0: it
   * fails at once. Up to 24 days. Default: `"5m"`.
   */
  readonly unregisteredGrace?: Duration;
  /** How long a stop waits for the tasks that run, before it puts them back. Up to 24 days. Default: `"30s"`. */
  readonly shutdownTimeout?: Duration;
  /**
   * How long the event loop may stand still before the guard ends the process, and what it has on loan goes to other workers, as a crash of each task that had begun. 0: never; else 1 s to 24 days. A
   * debugger that is attached sets it to 0. Default: `"10m"`.
   */
  readonly blockedLimit?: Duration;
  /**
   * Whether the guard may end the process while a task blocks the event loop: at `blockedLimit`, when the task has exceeded its time limit, and when it is revoked with `terminate`.
   * Otherwise it writes a line. Default: `false`; `task-worker` sets it.
   */
  readonly endsProcess?: boolean;
  /** Whether to start on a Redis that evicts keys when its memory is full: it drops waiting tasks and leases. Then it is only warned of. Default: `false`. */
  readonly allowEviction?: boolean;
  /**
   * Whether what tasks write to stdout and stderr, as `console.log` does, becomes log lines with the task's name and id. It holds for all code of the process. Default: `false`; `task-worker`
   * sets it.
   */
  readonly captureConsole?: boolean;
  /** Where the lines go. Default: pino on stdout, at `info`. */
  readonly log?: Logger;
}

/** A worker's options with every default in place; times in ms. */
export interface CompiledWorkerOptions extends CompiledPoolOptions {
  readonly queues: readonly { readonly name: string; readonly weight: number }[];
  readonly order: "round-robin" | "strict";
  /** The one that is asked for: another worker may bear it. */
  readonly name: string;
  /** Whether a number is added to the name if another worker bears it. */
  readonly numbered: boolean;
  readonly lease: number;
  readonly scan: number;
  readonly timeLimit: number | undefined;
  readonly softTimeLimit: number | undefined;
  readonly unregisteredGrace: number;
  readonly shutdownTimeout: number;
  /** `Infinity` for never. */
  readonly blockedLimit: number;
  readonly endsProcess: boolean;
  readonly allowEviction: boolean;
  readonly captureConsole: boolean;
}

/** All options: one that is missing here does not compile. */
const known: Readonly<Record<keyof WorkerOptions, true>> = {
  queues: true,
  excludeQueues: true,
  concurrency: true,
  pool: true,
  module: true,
  autoscale: true,
  maxTasksPerChild: true,
  maxMemoryPerChild: true,
  timeLimit: true,
  softTimeLimit: true,
  order: true,
  name: true,
  lease: true,
  scan: true,
  unregisteredGrace: true,
  shutdownTimeout: true,
  blockedLimit: true,
  endsProcess: true,
  allowEviction: true,
  fullStacks: true,
  captureConsole: true,
  log: true,
};

/** What a timer can wait for, in ms; a longer one would fire at once. */
const longest = toMilliseconds("24d", "longest");

/** Throws `INVALID_OPTION` or `INVALID_QUEUE_NAME` for what does not fit. */
export function compileWorkerOptions(given: WorkerOptions, declaredQueues: readonly string[]): CompiledWorkerOptions {
  checkNames(given);
  const { order = "round-robin" } = given;
  if (order !== "round-robin" && order !== "strict") refuse("order", `"${String(order)}"`, "round-robin or strict");
  return {
    queues: compileQueues(given, declaredQueues),
    ...compilePool(given),
    order,
    name: expandName(given.name ?? "worker@%h"),
    numbered: given.name === undefined,
    lease: compileTime(given.lease ?? "15s", "lease", 1000),
    scan: compileTime(given.scan ?? "5s", "scan", 100),
    ...compileLimits(given),
    unregisteredGrace: compileTime(given.unregisteredGrace ?? "5m", "unregisteredGrace", 0),
    shutdownTimeout: compileTime(given.shutdownTimeout ?? "30s", "shutdownTimeout", 0),
    blockedLimit: compileBlockedLimit(given.blockedLimit ?? "10m"),
    endsProcess: given.endsProcess ?? false,
    allowEviction: given.allowEviction ?? false,
    captureConsole: given.captureConsole ?? false,
  };
}

/** A misspelt option would otherwise be silently without effect. */
function checkNames(given: WorkerOptions): void {
  for (const option of Object.keys(given)) {
    if (!Object.hasOwn(known, option)) refuse(`"${option}" of createWorker()`, "unknown", `one of ${Object.keys(known).join(", ")}`);
  }
}

function compileLimits(given: WorkerOptions): Pick<CompiledWorkerOptions, "timeLimit" | "softTimeLimit"> {
  const timeLimit = given.timeLimit === undefined ? undefined : compileTime(given.timeLimit, "timeLimit", 1);
  const softTimeLimit = given.softTimeLimit === undefined ? undefined : compileTime(given.softTimeLimit, "softTimeLimit", 1);
  if (timeLimit !== undefined && softTimeLimit !== undefined && softTimeLimit >= timeLimit) {
    refuse("softTimeLimit", `${softTimeLimit} ms`, `less than timeLimit, ${timeLimit} ms`);
  }
  return { timeLimit, softTimeLimit };
}

function compileBlockedLimit(given: Duration): number {
  return toMilliseconds(given, "blockedLimit") === 0 ? Infinity : compileTime(given, "blockedLimit", 1000);
}

/** In whole ms, which is what Redis takes. */
function compileTime(given: Duration, option: string, least: number): number {
  const time = Math.round(toMilliseconds(given, option));
  if (time < least || time > longest) refuse(option, `${time} ms`, `${least === 0 ? "" : `at least ${least} ms and `}at most 24 days`);
  return time;
}

function compileQueues({ queues, excludeQueues = [] }: WorkerOptions, declared: readonly string[]): CompiledWorkerOptions["queues"] {
  const chosen = (queues ?? declared).map((queue) => (typeof queue === "string" ? parseQueue(queue) : { weight: 1, ...queue }));
  for (const { name, weight } of chosen) {
    checkQueueName(name);
    if (!Number.isInteger(weight) || weight < 1 || weight > 100)
      refuse(`the weight of queue "${name}"`, String(weight), "a whole number from 1 to 100");
  }
  for (const name of excludeQueues) checkQueueName(name);
  const left = chosen.filter(({ name }) => !excludeQueues.includes(name));
  if (left.length === 0) refuse("queues", "empty without the excluded ones", "at least one that is left");
  if (new Set(left.map(({ name }) => name)).size < left.length) refuse("queues", left.map(({ name }) => name).join(", "), "each once");
  return left;
}

/** `name` or `name:weight`; a colon with anything else behind it is for the check of names to refuse. */
function parseQueue(text: string): { readonly name: string; readonly weight: number } {
  const [, name, weight] = /^(.*):(\d+)$/.exec(text) ?? [];
  return name === undefined ? { name: text, weight: 1 } : { name, weight: Number(weight) };
}
