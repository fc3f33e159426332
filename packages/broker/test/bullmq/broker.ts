import { Redis } from "ioredis";
import { inject } from "vitest";
import { newId } from "../../src/id.js";
import { type RedisBrokerOptions } from "../../src/bullmq/redis-broker.js";
import { redisBroker } from "../../src/bullmq/redis-broker.js";
import type { Results } from "../../src/ports/results.js";
import type { BrokerFacets } from "../../src/ports/engine.js";
import { redisResultBackend } from "../../src/redis/result-backend.js";
import type { Broker } from "../ports/stage.js";

/** A Redis with a key prefix of its own, where there is nothing yet. */
export interface RedisBroker extends Broker {
  readonly url: string;
  readonly prefix: string;
  /** A client of that Redis, to look behind the port. */
  readonly redis: Redis;
  connect(options?: Partial<RedisBrokerOptions>): BrokerFacets;
}

/** Opens a broker on the Redis of the tests, or on the one at `url`. */
export function openBroker(url: string = inject("redisUrl"), backend: Results = redisResultBackend({ location: url })): RedisBroker {
  const prefix = `test-${newId()}`;
  const redis = new Redis(url, { replyMapping: "legacy", maxRetriesPerRequest: null });
  const engines: BrokerFacets[] = [];
  return {
    url,
    prefix,
    redis,
    backend,
    connect: (options) => {
      const engine = redisBroker({ location: url, backend, prefix, ...options });
      engines.push(engine);
      return engine;
    },
    close: async () => {
      await Promise.all(engines.map((engine) => engine.close()));
      await backend.close();
      const keys = await redis.keys(`*${prefix}*`);
      if (keys.length > 0) await redis.unlink(keys);
      redis.disconnect();
    },
  };
}
