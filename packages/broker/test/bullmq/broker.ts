import { Redis } from "ioredis";
import { inject } from "vitest";
import { newId } from "../../src/id.js";
import { bullmqTransport, type BullmqTransportOptions } from "../../src/bullmq/transport.js";
import type { ResultBackend } from "../../src/ports/result-backend.js";
import type { Transport } from "../../src/ports/transport.js";
import { redisResultBackend } from "../../src/redis/result-backend.js";
import type { Broker } from "../ports/stage.js";

/** A Redis with a key prefix of its own, where there is nothing yet. */
export interface RedisBroker extends Broker {
  readonly url: string;
  readonly prefix: string;
  /** A client of that Redis, to look behind the port. */
  readonly redis: Redis;
  connect(options?: Partial<BullmqTransportOptions>): Transport;
}

/** Opens a broker on the Redis of the tests, or on the one at `url`. */
export function openBroker(url: string = inject("redisUrl"), backend: ResultBackend = redisResultBackend({ location: url })): RedisBroker {
  const prefix = `test-${newId()}`;
  const redis = new Redis(url, { replyMapping: "legacy", maxRetriesPerRequest: null });
  const transports: Transport[] = [];
  return {
    url,
    prefix,
    redis,
    backend,
    connect: (options) => {
      const transport = bullmqTransport({ location: url, backend, prefix, ...options });
      transports.push(transport);
      return transport;
    },
    close: async () => {
      await Promise.all(transports.map((transport) => transport.close()));
      await backend.close();
      const keys = await redis.keys(`*${prefix}*`);
      if (keys.length > 0) await redis.unlink(keys);
      redis.disconnect();
    },
  };
}
