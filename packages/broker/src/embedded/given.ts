import { openConnection } from "../redis/connection.js";
import { compileLocation } from "../redis/location.js";
import type { RedisServer } from "./redis-server.js";

/** How long the Redis may take to answer, in ms. */
const deadline = 5000;

/** The Redis at `url`, once it has answered. Throws `INVALID_URL`, `REDIS_AUTH`, `REDIS_UNSUITABLE`, or `BROKER_UNAVAILABLE` when it has not answered after 5 s. */
export async function useGiven(url: string): Promise<RedisServer> {
  const location = compileLocation(url);
  const connection = openConnection(location, { service: "broker", name: "bullrush:check" });
  try {
    await connection.run({ action: "a PING was not answered", deadline }, (client) => client.ping());
  } finally {
    connection.close();
  }
  return { url, kind: "given", description: `Redis given by URL ${location.display}`, stop: async () => undefined };
}
