import { openRedis } from "../../packages/broker/src/embedded/index.js";
import type { TestProject } from "vitest/node";

declare module "vitest" {
  interface ProvidedContext {
    /** A Redis for tests, shared by the whole run: use a key prefix or a database of your own. */
    redisUrl: string;
  }
}

/** Projects whose tests need no Redis. If only these run, none is started. */
const withoutRedis = new Set(["pure", "types"]);

/**
 * Opens the Redis of this run: the one at `BULLRUSH_TEST_REDIS_URL`, else a private one.
 * `BULLRUSH_TEST_REDIS` (`native` or `embedded`) says which kind of server that must be; by default
 * it is whichever is found first.
 */
export async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  if (project.vitest.projects.every(({ name }) => withoutRedis.has(name))) return undefined;
  const { BULLRUSH_TEST_REDIS_URL: url, BULLRUSH_TEST_REDIS: only } = process.env;
  if (only !== undefined && only !== "native" && only !== "embedded") {
    throw new Error(`BULLRUSH_TEST_REDIS is "${only}"; expected native or embedded`);
  }
  const redis = await openRedis({ ...(url && { url }), ...(only && { only }) });
  console.log(`Redis: ${redis.description}`);
  project.provide("redisUrl", redis.url);
  return () => redis.stop();
}
