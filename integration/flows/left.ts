import { Redis } from "ioredis";
import { expect } from "vitest";
import type { Fleet } from "../lib/fleet.js";
import { expectQuiet } from "../lib/quiet.js";
import { eventually } from "../lib/eventually.js";
import { redisUrl } from "../lib/redis-url.js";

/**
 * Holds a fleet whose canvases have all ended to having left nothing of them in Redis but results
 * with a time to live.
 */
export async function expectNothingLeft(fleet: Fleet, options?: { readonly failed?: number }): Promise<void> {
  const redis = new Redis(redisUrl(), { replyMapping: "legacy" });
  try {
    await eventually("no flow is left", async () => (await redis.keys(`bullrush:flow*:${fleet.prefix}*`)).length === 0);
    await expectQuiet(fleet, options);
  } finally {
    redis.disconnect();
  }
}

/** Holds all results on a Redis to having a time to live. */
export async function expectAllExpire(backend: string): Promise<void> {
  const redis = new Redis(backend, { replyMapping: "legacy" });
  try {
    const keys = await redis.keys("bullrush:result:*");
    const times = await Promise.all(keys.map((key) => redis.pttl(key)));
    // -2: it has gone meanwhile.
    expect(times.filter((time) => time === -1)).toEqual([]);
    expect(keys.length).toBeGreaterThan(0);
  } finally {
    redis.disconnect();
  }
}

/** Holds the records of tasks to having a time to live, and to being of tasks that have ended. */
export async function expectEnded(fleet: Fleet, ids: readonly string[]): Promise<void> {
  const records = await fleet.app.engine.results.read(ids);
  for (const record of records) expect(["SUCCESS", "FAILURE", "REVOKED"]).toContain(record?.state);
}
