import { setTimeout } from "node:timers/promises";
import { createApp } from "bullrush";
import { Redis } from "ioredis";

export const app = createApp({ name: "offload" });

export const cache = new Redis(process.env["CACHE_URL"] ?? "redis://127.0.0.1:6379/3", { lazyConnect: true });

/** A cache that is slow to write to: two seconds. */
export const writeCache = app.task("offload.writeCache", { ignoreResult: true }, async (key: string, value: number) => {
  await setTimeout(2000);
  await cache.set(key, value, "EX", 60);
});
