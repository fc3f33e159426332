import { Redis } from "ioredis";
import { setTimeout as pause } from "node:timers/promises";
import { describe, inject, it } from "vitest";
import { redisEngine } from "../../src/bullmq/redis-engine.js";
import { redisScheduleStore } from "../../src/bullmq/schedules/schedule-store.js";
import { describeEngine } from "../../src/conformance/index.js";
import { newId } from "../../src/id.js";
import type { Engine } from "../../src/ports/engine.js";

/** How long a term lasts, in ms: as short as a busy machine allows. */
const lead = 1500;

/** An engine whose beats lead for a shorter time than usual. */
function openEngine(url: string, prefix: string): Engine {
  const engine = redisEngine({ broker: url, prefix });
  const schedules = redisScheduleStore({ location: url, prefix, lead });
  return { ...engine, schedules, close: async () => void (await Promise.all([engine.close(), schedules.close()])) };
}

describeEngine({ describe, it }, "Redis", () => {
  const url = inject("redisUrl");
  const prefix = `test-${newId()}`;
  const [engine, other] = [openEngine(url, prefix), openEngine(url, prefix)];
  return {
    engine,
    other,
    lease: 1000,
    lead,
    now: () => Date.now(),
    pass: (ms) => pause(ms),
    close: async () => {
      await Promise.all([engine.close(), other.close()]);
      const redis = new Redis(url, { replyMapping: "legacy", maxRetriesPerRequest: null });
      const keys = await redis.keys(`*${prefix}*`);
      if (keys.length > 0) await redis.unlink(keys);
      redis.disconnect();
    },
  };
});
