import { Redis, type RedisOptions } from "ioredis";

/** A client of Redis. In a file of its own, so that the library is loaded with the first client: what only declares tasks does without. */
export function openClient(options: RedisOptions & { replyMapping: "legacy" }): Redis {
  return new Redis(options);
}
