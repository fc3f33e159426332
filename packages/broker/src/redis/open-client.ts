import { Redis, type RedisOptions } from "ioredis";
import { AskingRedis, type Asking } from "./asking-redis.js";

/**
 * A client of Redis. In a file of its own, so that the library is loaded with the first client:
 * what only declares tasks does without. `asking`: how it asks for its password.
 */
export function openClient(options: RedisOptions & { readonly replyMapping: "legacy" }, asking?: Asking): Redis {
  return asking === undefined ? new Redis(options) : new AskingRedis(options, asking);
}
