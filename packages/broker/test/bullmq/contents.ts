import type { Redis } from "ioredis";

/**
 * All that Redis holds under the keys that begin with `start`, by the rest of the key: values, encodings, how long they live. Times are
 * left out, orders by time kept.
 */
export async function contentsUnder(redis: Redis, start: string): Promise<Readonly<Record<string, unknown>>> {
  // On Valkey, Lua writes the fields of options in any order.
  const isRedis = !(await redis.info("server")).includes("valkey_version");
  const keys = (await redis.keys(`${start}*`)).toSorted();
  const entries = keys.map(async (key) => {
    const value = await valueOf(redis, key, isRedis);
    return [
      key.slice(start.length),
      { value, encoding: await redis.call("OBJECT", "ENCODING", key), lives: await redis.pttl(key) },
    ] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}

async function valueOf(redis: Redis, key: string, isRedis: boolean): Promise<unknown> {
  const type = await redis.type(key);
  switch (type) {
    case "string":
      return redis.get(key);
    case "list":
      return redis.lrange(key, 0, -1);
    case "hash": {
      const fields = withoutTimes((await redis.call("HGETALL", key)) as readonly string[]);
      return isRedis ? fields : fields.map((item, index) => (fields[index - 1] === "opts" ? (JSON.parse(item) as unknown) : item));
    }
    case "zset":
      // Scores that are times: only their order.
      return (await redis.zrange(key, "0", "-1", "WITHSCORES")).map((item, index) =>
        index % 2 === 1 && Number(item) > 1e12 ? "a time" : item,
      );
    case "stream": {
      const entries = await redis.xrange(key, "-", "+");
      return entries.map(([, fields]) => withoutTimes(fields));
    }
    default:
      throw new Error(`${key} is a ${type}`);
  }
}

/** `fields`, each followed by its value, without the values that depend on the time; those inside JSON too. */
function withoutTimes(fields: readonly string[]): readonly string[] {
  return fields.map((item, index) => {
    if (index % 2 === 0) return item;
    return fields[index - 1] === "delay" && item !== "0"
      ? "a delay"
      : item.replace(/^\d{13}$/, "a time").replace(/"delay":\d+/, '"delay":"…"');
  });
}
