import { randomUUID } from "node:crypto";
import { createApp, type App, type AsyncResult } from "@bullrush/client";
import { expect } from "vitest";
import { compiledFixture } from "../lib/fixture.js";
import { hangTimeout } from "../lib/hang-timeout.js";
import { startWorker, type WorkerProcess } from "../lib/task-worker.js";
import { has, type Entry } from "../lib/program.js";
import { redisUrl } from "../lib/redis-url.js";

const fixture = compiledFixture("fixtures/tasks.ts", import.meta.url);

/** The runner that a task was in. */
export interface Where {
  readonly pid: number;
  readonly thread: number;
}

/** A producer, and workers of the fixture beside it, on a prefix of their own. */
export interface Stage extends AsyncDisposable {
  readonly app: App;
  readonly worker: WorkerProcess;
  /** Sends a task of the fixture. */
  send<Result>(task: string, ...args: readonly unknown[]): Promise<AsyncResult<Result>>;
  /** Sends it, and returns its result. */
  run<Result>(task: string, ...args: readonly unknown[]): Promise<Result>;
  /** Starts one more worker. */
  another(...args: readonly string[]): WorkerProcess;
}

/** Opens a stage, with a worker that has these arguments. */
export function open(...first: readonly string[]): Stage {
  const prefix = `pools-${randomUUID()}`;
  const app = createApp({ broker: redisUrl(), prefix, queues: ["one"], defaultQueue: "one" });
  const workers: WorkerProcess[] = [];
  const another = (...args: readonly string[]) => {
    const worker = startWorker({ app: fixture, args, env: { FIXTURE_PREFIX: prefix } });
    workers.push(worker);
    return worker;
  };
  const send = <Result>(task: string, ...args: readonly unknown[]) => app.sendTask<Result>(`pools.${task}`, args);
  return {
    app,
    worker: another(...first),
    send,
    run: async <Result>(task: string, ...args: readonly unknown[]) => (await send<Result>(task, ...args)).get({ timeout: hangTimeout }),
    another,
    [Symbol.asyncDispose]: async () => void (await Promise.all([app.close(), ...workers.map((worker) => worker.kill())])),
  };
}

/** What fits the error of a task that has failed with `failure`. */
export function failedOf(failure: {
  readonly code?: string;
  readonly name?: string;
  readonly message?: string;
  readonly cause?: object;
}): object {
  return expect.objectContaining({ cause: expect.objectContaining(failure) as object }) as object;
}

/** The lines that `worker` has written so far that have these fields. */
export function linesOf({ entries }: WorkerProcess, fields: Entry): readonly Entry[] {
  return entries.filter((entry) => has(entry, fields));
}

/** Whether there is a process with this id. */
export function lives(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}
