import type { Redis } from "ioredis";

/** What a Redis is at the moment. */
export type Role = "primary" | "replica";

/**
 * The role of the Redis behind `client`, as `HELLO` tells it: every user may ask, and a subscriber
 * too. `undefined` for a Redis that does not say it, which has answered all the same.
 */
export async function roleOf(client: Redis): Promise<Role | undefined> {
  try {
    return roleIn(await client.call("HELLO"));
  } catch {
    // Before Redis 6 there is no HELLO, and a subscriber may send nothing but PING.
    await client.ping();
    return undefined;
  }
}

/** @param reply names and values in turn, or a map of them */
function roleIn(reply: unknown): Role | undefined {
  const role = Array.isArray(reply)
    ? (reply[reply.indexOf("role") + 1] as unknown)
    : reply instanceof Map
      ? (reply.get("role") as unknown)
      : (reply as { readonly role?: unknown } | null)?.role;
  if (role === "master") return "primary";
  return role === "replica" || role === "slave" ? "replica" : undefined;
}
