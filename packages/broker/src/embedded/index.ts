export { openRedis, type OpenRedisOptions } from "./open-redis.js";
export type { RedisServer } from "./redis-server.js";
