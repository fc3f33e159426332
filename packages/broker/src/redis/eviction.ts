import type { Redis } from "ioredis";
import { BullrushError } from "../errors/error.js";

/**
 * What is to be said of a Redis that evicts keys, when that is allowed; `undefined` of one that
 * does not, or does not tell. Throws `REDIS_UNSUITABLE` when it is not allowed: what is evicted is
 * waiting tasks, leases and results.
 */
export async function checkEviction(client: Redis, display: string, isAllowed: boolean): Promise<string | undefined> {
  const policy = /maxmemory_policy:(\S+)/.exec(await client.info("memory"))?.[1] ?? "noeviction";
  if (policy === "noeviction") return undefined;
  if (isAllowed) return `${display} evicts keys (maxmemory-policy ${policy}) and may lose tasks: set noeviction`;
  const reason = `it evicts keys (maxmemory-policy ${policy}) and may lose tasks: set noeviction, or accept that with --allow-eviction (option allowEviction)`;
  throw new BullrushError("REDIS_UNSUITABLE", { url: display, reason });
}
