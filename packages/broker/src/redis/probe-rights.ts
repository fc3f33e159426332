import type { Redis } from "ioredis";
import { newId } from "../protocol/id.js";
import { commandsIn } from "./rights.js";
import { runScript, scriptAt, type Script } from "./script.js";

const script = scriptAt("redis/probe-rights");

/**
 * Harmless arguments for each command of our scripts: `key` is a string that expires a second
 * later. Commands that are absent are not probed: whether results may be stored in a settlement is
 * found out elsewhere, and channels are not keys.
 */
export const harmless: Readonly<Record<string, readonly string[]>> = {
  DEL: ["key:none"],
  EXISTS: ["key"],
  GET: ["key"],
  GETBIT: ["key", "0"],
  GETRANGE: ["key", "0", "0"],
  HDEL: ["key", "field"],
  HEXISTS: ["key", "field"],
  HGET: ["key", "field"],
  HGETALL: ["key"],
  HINCRBY: ["key", "field", "0"],
  HKEYS: ["key"],
  HLEN: ["key"],
  HMGET: ["key", "field"],
  HMSET: ["key", "field", "value"],
  HSET: ["key", "field", "value"],
  HSETNX: ["key", "field", "value"],
  HSTRLEN: ["key", "field"],
  INCR: ["key"],
  INCRBY: ["key", "1"],
  LINDEX: ["key", "0"],
  LLEN: ["key"],
  LPOS: ["key", "value"],
  LPUSH: ["key", "value"],
  LRANGE: ["key", "0", "0"],
  LREM: ["key", "1", "value"],
  LSET: ["key", "0", "value"],
  LTRIM: ["key", "0", "-1"],
  MGET: ["key"],
  PERSIST: ["key:none"],
  PEXPIRE: ["key:none", "1000"],
  PTTL: ["key"],
  RPOPLPUSH: ["key", "key"],
  RPUSH: ["key", "value"],
  SADD: ["key", "member"],
  SCARD: ["key"],
  SET: ["key", "text", "PX", "1000"],
  SETBIT: ["key", "0", "0"],
  SISMEMBER: ["key", "member"],
  SMEMBERS: ["key"],
  SREM: ["key", "member"],
  STRLEN: ["key"],
  TIME: [],
  TYPE: ["key"],
  XADD: ["key", "*", "field", "value"],
  XDEL: ["key", "0-1"],
  XTRIM: ["key", "MAXLEN", "~", "10000"],
  ZADD: ["key", "0", "member"],
  ZCARD: ["key"],
  ZCOUNT: ["key", "-inf", "+inf"],
  ZPOPMIN: ["key"],
  ZRANGE: ["key", "0", "0"],
  ZRANGEBYSCORE: ["key", "-inf", "+inf"],
  ZREM: ["key", "member"],
  ZREMRANGEBYRANK: ["key", "0", "0"],
  ZREMRANGEBYSCORE: ["key", "0", "0"],
  ZREVRANGE: ["key", "0", "0"],
  ZREVRANGEBYSCORE: ["key", "+inf", "-inf"],
  ZSCORE: ["key", "member"],
};

/** The commands that BullMQ's own scripts are told to push with. */
const pushes = ["lpush", "rpush"];

/** The commands in the texts of `scripts`, in capitals, each once. */
export async function commandsOf(scripts: readonly Script[]): Promise<readonly string[]> {
  const loaded = await Promise.all(scripts.map((script) => script.load()));
  const all = [...pushes, ...loaded.flatMap(({ lua }) => commandsIn(lua))];
  return [...new Set(all.map((command) => command.toUpperCase()))].toSorted();
}

/**
 * The commands of `scripts`, in lower case, that the user of `client` may not run under keys that
 * start with `prefix`. They are tried in a script, as they are used later. So the answer holds for
 * every release, for rights on keys, and for a user who may not ask for rights.
 */
export async function missingCommands(client: Redis, prefix: string, scripts: readonly Script[]): Promise<readonly string[]> {
  const key = `${prefix}probe:${newId()}`;
  const probed = (await commandsOf(scripts)).flatMap((command) => {
    const args = harmless[command];
    return args === undefined ? [] : [command, args.length, ...args.map((arg) => arg.replace(/^key/, key))];
  });
  const missing = (await runScript(client, script, [key], probed)) as readonly string[];
  return [...new Set(missing.map((command) => command.toLowerCase()))];
}
