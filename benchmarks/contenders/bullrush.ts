import { createApp } from "@bullrush/client";
import { createWorker } from "@bullrush/worker";
import { pino } from "pino";
import type { Contender, Producer } from "./contender.js";

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
