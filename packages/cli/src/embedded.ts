export { openRedis, type OpenRedisOptions, type RedisServer } from "@bullrush/broker/embedded";
