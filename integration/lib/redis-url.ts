import { inject } from "vitest";

/** The shared Redis of this run, or one of its databases, 0 to 15. */
export function redisUrl(database = 0): string {
  return new URL(`/${database}`, inject("redisUrl")).href;
}
