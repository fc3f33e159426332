import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Sample } from "./metric.js";
import type { Sent, Setting } from "./setting.js";

/** What a process of its own is to do. */
export interface Stage {
  readonly type: "prepare" | "work" | "measure";
  /** Names. */
  readonly scenario: string;
  readonly contender: string;
  readonly setting: Setting;
}

/** What it says: that it has prepared, that it consumes, or what it measured. */
export type FromStage =
  | { readonly type: "prepared"; readonly sent: readonly Sent[] }
  | { readonly type: "ready" }
  | { readonly type: "done"; readonly sample: Sample };

export interface StageOptions {
  /** The core that it runs on; any when absent. */
  readonly core?: number;
  /**
   * The folder in which it leaves a CPU profile, in the place of an earlier one of the same stage;
   * none when absent.
   */
  readonly profile?: string;
}

/** Maximum duration of a stage, in ms. */
const timeout = 900_000;

const program = fileURLToPath(new URL("../child.js", import.meta.url));

/**
 * Runs a stage in a fresh process and returns its last message. Rejects if the process ends before.
 */
export async function runStage(stage: Stage, options: StageOptions): Promise<FromStage> {
  const child = start(stage, options);
  try {
    return await said(child, stage);
  } finally {
    await end(child);
  }
}

/**
 * Runs the worker of `stage` in a fresh process while `body` runs, which gets its process id.
 * Rejects if that process ends before.
 */
export async function runBeside<T>(stage: Stage, options: StageOptions, body: (pid: number) => Promise<T>): Promise<T> {
  const child = start(stage, options);
  try {
    await said(child, stage);
    return await Promise.race([body(child.pid ?? 0), endedEarly(child, stage)]);
  } finally {
    await end(child);
  }
}

function start(stage: Stage, { core, profile }: StageOptions): ChildProcess {
  const node = profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}`, `--cpu-prof-name=${profileName(stage)}`];
  const runtime =
    core === undefined ? { execArgv: node } : { execPath: "taskset", execArgv: ["-c", String(core), process.execPath, ...node] };
  const child = fork(program, [JSON.stringify(stage)], runtime);
  // Not fork's own `timeout`: in Node 26 its timer outlives the child, and keeps this process from
  // ending.
  const timer = setTimeout(() => child.kill(), timeout);
  child.once("exit", () => clearTimeout(timer));
  return child;
}

/** `drain.measure.Bullrush.cpuprofile`. */
function profileName({ type, scenario, contender }: Stage): string {
  return `${scenario}.${type}.${contender.replaceAll(/\W+/g, "-")}.cpuprofile`;
}

/** The first message; rejects if the process ends without one. */
async function said(child: ChildProcess, stage: Stage): Promise<FromStage> {
  const [message] = (await Promise.race([once(child, "message"), endedEarly(child, stage)])) as [FromStage];
  return message;
}

/** Rejects when the process has ended. */
async function endedEarly(child: ChildProcess, { type, scenario, contender }: Stage): Promise<never> {
  await exited(child);
  const how = child.signalCode ?? `exit code ${child.exitCode}`;
  throw new Error(`"${type}" of ${scenario} with ${contender} ended with ${how}`);
}

/** Disconnects from the process, which ends it. */
async function end(child: ChildProcess): Promise<void> {
  if (child.connected) child.disconnect();
  await exited(child);
}

async function exited(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
}
