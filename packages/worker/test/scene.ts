import { newId, type QueueCounts } from "@bullrush/broker";
import { createApp, type App } from "@bullrush/client";
import { pino } from "pino";
import { inject, onTestFinished } from "vitest";
import { createWorker } from "../src/index.js";

export type Entry = Readonly<Record<string, unknown>>;

/** An app, a worker of it that is not started, and what that logs. */
export interface Scene {
  /** Of its keys. */
  readonly prefix: string;
  readonly app: App;
  readonly entries: readonly Entry[];
  /** Starts the worker, and gives an app that only sends. */
  readonly start: () => Promise<App>;
}

export function scene(): Scene {
  const prefix = newId();
  const open = () => {
    const app = createApp({ broker: inject("redisUrl"), prefix });
    onTestFinished(() => app.close());
    return app;
  };
  const app = open();
  const entries: Entry[] = [];
  const log = pino({}, { write: (line: string) => void entries.push(JSON.parse(line) as Entry) });
  const start = async () => {
    const worker = createWorker(app, { log });
    onTestFinished(async () => void (await worker.stop(AbortSignal.abort())));
    await worker.start();
    return open();
  };
  return { prefix, app, entries, start };
}

export async function counts(app: App): Promise<QueueCounts | undefined> {
  return (await app.engine.queues.counts(["default"]))[0];
}
