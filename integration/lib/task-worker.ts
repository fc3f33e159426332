import { fileURLToPath } from "node:url";
import { startProgram, type Program } from "./program.js";
import { redisUrl } from "./redis-url.js";

export interface WorkerStart {
  /** The value of `-A`. Default: none, the worker finds its app itself. */
  readonly app?: string;
  readonly args?: readonly string[];
  /**
   * Variables to set, or, with `undefined`, to remove. Unless it says otherwise,
   * BULLRUSH_BROKER_URL is the shared Redis.
   */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Default: this process's. */
  readonly cwd?: string;
}

/** A `task-worker` process. */
export interface WorkerProcess extends Program {
  /**
   * Resolves when the worker consumes. Rejects, with its output, when it ends before, or after
   * `hangTimeout`.
   */
  readonly ready: Promise<void>;
}

/** The command, as its package has it. */
export const taskWorker = fileURLToPath(new URL("../../packages/worker/bin/task-worker.js", import.meta.url));

/**
 * Starts `task-worker` as its users do, from the built package.
 *
 *     await using worker = startWorker({ app: "tasks.ts", args: ["-Q", queue], cwd });
 *     await worker.ready;
 *     await worker.waitForEntry({ msg: "succeeded", id });
 *     expect(await worker.stop()).toEqual({ code: 0, signal: null });
 */
export function startWorker({ app, args = [], env = {}, cwd }: WorkerStart): WorkerProcess {
  const program = startProgram({
    file: taskWorker,
    args: [...(app === undefined ? [] : ["-A", app]), ...args],
    env: { BULLRUSH_BROKER_URL: redisUrl(), ...env },
    ...(cwd !== undefined && { cwd }),
  });
  const ready = whenReady(program);
  // A test that does not await `ready` must not fail by its rejection.
  ready.catch(() => undefined);
  return { ...program, ready };
}

async function whenReady(program: Program): Promise<void> {
  await program.waitFor(/"msg":"ready"| {2}ready\b/);
}
