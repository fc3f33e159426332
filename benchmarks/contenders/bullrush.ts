import { createRequire } from "node:module";
import { createApp } from "@bullrush/client";
import { createWorker, type WorkerOptions } from "@bullrush/worker";
import type { Contender, Producer } from "./contender.js";

type Log = NonNullable<WorkerOptions["log"]>;

/** The worker's own pino, silent: writing two lines a task would be measured too, and a stock worker writes none. */
const { pino } = createRequire(import.meta.resolve("@bullrush/worker/package.json"))("pino") as {
  readonly pino: (options: { readonly level: string }) => Log;
};

/** Bullrush with its results in database `resultDatabase` of the Redis that holds the queue, which is in database 0. */
export function bullrush(name: string, resultDatabase: number): Contender {
  const queue = "bench";

  function open(url: string, body: (sent: number) => number) {
    const app = createApp({ broker: `${url}/0`, backend: `${url}/${resultDatabase}`, queues: [queue], defaultQueue: queue });
    return { app, echo: app.task("echo", body) };
  }

  function produce(url: string): Producer {
    const { app, echo } = open(url, (sent) => sent);
    return {
      send: (number) => echo.delay(number),
      ask: async (number) => (await echo.delay(number)).get(),
      close: () => app.close(),
    };
  }

  async function consume(url: string, concurrency: number, body: (sent: number) => number): Promise<void> {
    const { app } = open(url, body);
    await createWorker(app, { concurrency, log: pino({ level: "silent" }) }).start();
  }

  return { name, queueKey: `bull:${queue}`, produce, consume };
}
