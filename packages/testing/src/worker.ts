import { AsyncResource } from "node:async_hooks";
import type { App } from "@bullrush/client";
import { createWorker, type Worker, type WorkerOptions } from "@bullrush/worker";
import { pino, type Logger } from "pino";

export interface WorkerSettings extends Pick<WorkerOptions, "queues" | "concurrency"> {
  /** Default: nothing is written. */
  readonly log?: Logger | undefined;
}

/** Workers run in no asynchronous context of a test, so tasks see none of their sender's. */
const outside = new AsyncResource("bullrush.testing");

/**
 * A worker on `app`, which leaves the app open. Clocks are moved by days while tasks run, so leases
 * last as long as they can. A task that is not registered will not be: it fails at once. Throws as
 * `createWorker` does.
 */
export function workerOn(app: App, { log = pino({ level: "silent" }), ...settings }: WorkerSettings): Worker {
  const options = { pool: "inline", lease: "24d", unregisteredGrace: 0, blockedLimit: 0, log, ...settings } as const;
  return createWorker(app, options, { leavesApp: true });
}

/** Resolves once `worker` takes. */
export function start(worker: Worker): Promise<void> {
  return outside.runInAsyncScope(() => worker.start());
}
