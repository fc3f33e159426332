import type { Redis } from "ioredis";
import { ownQueueKey } from "../src/redis/keys.js";

/** The dead letters of `queue`, oldest first, as a reader of Redis sees them. */
export async function deadLettersOf(redis: Redis, prefix: string, queue: string): Promise<readonly Record<string, string>[]> {
  const own = ownQueueKey(prefix, queue);
  const ids = await redis.zrange(`${own}dead-letters`, "0", "-1");
  return Promise.all(ids.map((id) => redis.hgetall(`${own}dead-letter:${id}`)));
}
