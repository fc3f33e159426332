import { randomUUID } from "node:crypto";
import { createApp, type App, type AppOptions } from "@bullrush/client";
import { createWorker, type Worker, type WorkerOptions } from "@bullrush/worker";
import { Redis } from "ioredis";
import { pino } from "pino";
import { eventually } from "../lib/eventually.js";
import { redisUrl } from "../lib/redis-url.js";

/** An app with a prefix of its own, and workers in this process. */
export interface Stage extends AsyncDisposable {
  readonly app: App;
  readonly redis: Redis;
  /** Starts a worker on all queues of the app. */
  work(options?: WorkerOptions): Promise<Worker>;
  /** Waits until no flow is left on the broker. */
  over(): Promise<unknown>;
}

/** Results are in another database of the shared Redis. */
export function openStage(options: AppOptions = {}): Stage {
  const prefix = `flows-${randomUUID()}`;
  const app = createApp({ broker: redisUrl(), backend: redisUrl(1), prefix, ...options });
  const redis = new Redis(redisUrl(), { replyMapping: "legacy" });
  const workers: Worker[] = [];
  return {
    app,
    redis,
    work: async (given) => {
      const worker = createWorker(app, { log: pino({ level: "silent" }), ...given });
      workers.push(worker);
      await worker.start();
      return worker;
    },
    over: () => eventually("no flow is left", async () => (await redis.keys(`bullrush:flow*:${prefix}*`)).length === 0),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(workers.map((worker) => worker.stop()));
      await app.close();
      const keys = await redis.keys(`*${prefix}*`);
      if (keys.length > 0) await redis.unlink(keys);
      redis.disconnect();
    },
  };
}
