import { setTimeout as pause } from "node:timers/promises";
import { Redis } from "ioredis";

/** A look at the Redis from beside the contenders, and at their queue by BullMQ's keys, which all of them have. */
export interface WatchedRedis {
  /** CPU that it has used so far, in µs. */
  cpu(): Promise<number>;
  /** Resolves when nothing waits in the queue and nothing is taken from it. */
  drained(queueKey: string): Promise<void>;
  /** How many wait. */
  waiting(queueKey: string): Promise<number>;
  failed(queueKey: string): Promise<number>;
  close(): void;
}

/** Time between two looks, in ms: it bounds how exactly the end of a drain is known. */
const interval = 2;

export function watchRedis(url: string): WatchedRedis {
  const redis = new Redis(url);
  return {
    cpu: async () => {
      const usage = await redis.info("cpu");
      const seconds = ["user", "sys"].map((kind) => Number(new RegExp(`used_cpu_${kind}:(\\S+)`).exec(usage)?.[1]));
      return seconds.reduce((sum, used) => sum + used, 0) * 1e6;
    },
    drained: async (queueKey) => {
      while ((await redis.llen(`${queueKey}:wait`)) + (await redis.llen(`${queueKey}:active`)) > 0) await pause(interval);
    },
    waiting: (queueKey) => redis.llen(`${queueKey}:wait`),
    failed: (queueKey) => redis.zcard(`${queueKey}:failed`),
    close: () => redis.disconnect(),
  };
}
