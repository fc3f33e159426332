import type { Redis } from "ioredis";

/** What was written while somebody watched. */
export interface Writes {
  /** The type of each key, as Redis names it, or `channel`. */
  readonly types: ReadonlyMap<string, string>;
  /** The fields of each hash. */
  readonly fields: ReadonlyMap<string, ReadonlySet<string>>;
  stop(): void;
}

/** The type of the key that a command writes first. */
const typesOfCommands: Readonly<Record<string, string>> = {
  HSET: "hash",
  HMSET: "hash",
  HSETNX: "hash",
  HINCRBY: "hash",
  SET: "string",
  SETBIT: "string",
  INCR: "string",
  INCRBY: "string",
  LPUSH: "list",
  RPUSH: "list",
  SADD: "set",
  ZADD: "zset",
  XADD: "stream",
  PUBLISH: "channel",
};

/** The fields that a command writes, of its arguments behind the key. */
function fieldsIn(command: string, args: readonly string[]): readonly string[] {
  if (command === "HSETNX" || command === "HINCRBY") return args.slice(0, 1);
  return args.filter((_, index) => index % 2 === 0);
}

/** Notes what all clients of a Redis write, those in scripts too: what is gone soon is seen as well as what stays. */
export async function watchWrites(redis: Redis): Promise<Writes> {
  const monitor = await redis.monitor();
  const types = new Map<string, string>();
  const fields = new Map<string, Set<string>>();
  monitor.on("monitor", (_time: string, [name = "", key = "", ...args]: readonly string[]) => {
    const command = name.toUpperCase();
    const type = typesOfCommands[command];
    if (type === undefined) return;
    types.set(key, type);
    if (type !== "hash") return;
    const known = fields.get(key) ?? new Set();
    fields.set(key, known);
    for (const field of fieldsIn(command, args)) known.add(field);
  });
  return { types, fields, stop: () => monitor.disconnect() };
}
