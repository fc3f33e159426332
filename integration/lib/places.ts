import { long } from "./long.js";
import { redisUrl } from "./redis-url.js";
import { secondServer, serverBinary } from "./server.js";

/** A place for results, relative to the queues, which are in the shared Redis. */
export interface Place {
  readonly results: "beside the queues" | "in another database" | "on another server";
  /** The URL for the result backend. */
  readonly backend: () => Promise<string>;
}

/**
 * The places, for `describe.each`: tests of results run in each. The other server is one for the
 * whole file; without a server binary it is left out. Another database takes the same code paths as
 * the same one, so the gate leaves it out unless it is the only other place.
 */
export const places: readonly Place[] = [
  { results: "beside the queues", backend: () => Promise.resolve(redisUrl()) },
  ...(long || serverBinary === undefined ? [{ results: "in another database", backend: () => Promise.resolve(redisUrl(1)) } as const] : []),
  ...(serverBinary === undefined ? [] : [{ results: "on another server", backend: async () => (await secondServer()).url() } as const]),
];

if (serverBinary === undefined) console.log("skipped: results on another server, because PATH has no redis-server and no valkey-server");
