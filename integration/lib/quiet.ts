import { Redis } from "ioredis";
import { expect } from "vitest";
import { eventually } from "./eventually.js";
import { redisUrl } from "./redis-url.js";
import type { Fleet } from "./fleet.js";

/**
 * Checks that a fleet whose tasks have all ended has left nothing on the shared Redis: nothing
 * waits or is on loan, and there is no lease and no mark of a lost one.
 */
export async function expectQuiet({ prefix, app }: Fleet, { failed = 0 } = {}): Promise<void> {
  const redis = new Redis(redisUrl(), { replyMapping: "legacy" });
  try {
    // On two servers a result is stored before its task is settled, and the scan for lost tasks
    // keeps marks until its next run.
    await eventually("nothing is on loan", async () => (await app.engine.queues.counts(["one"]))[0]?.active === 0);
    await eventually("no lease is left", async () => (await redis.keys(`${prefix}:one:*:lock`)).length === 0);
    await eventually("no mark is left", async () => (await redis.scard(`${prefix}:one:stalled`)) === 0);
    expect(await app.engine.queues.counts(["one"])).toMatchObject([{ waiting: 0, delayed: 0, active: 0, failed }]);
  } finally {
    redis.disconnect();
  }
}
