import type { RedisOptions } from "ioredis";
import { BullrushError } from "../error.js";

/** A Redis URL, read. */
export interface Address {
  readonly options: RedisOptions;
  /** Without user and password: `redis://127.0.0.1:6379/1`. */
  readonly display: string;
  /** Who connects: the user of the URL, else `default`. */
  readonly user: string;
}

/** Reads `redis://[user:password@]host[:port][/db]` or `rediss://…`. Throws `INVALID_URL`, which never quotes it: it may hold a password. */
export function parseAddress(text: string): Address {
  if (!URL.canParse(text)) return refuse("it cannot be parsed");
  const url = new URL(text);
  if (url.protocol !== "redis:" && url.protocol !== "rediss:") return refuse("its scheme is neither redis nor rediss");
  if (url.hostname === "") return refuse("it names no host");
  const [, database] = /^\/?(\d*)$/.exec(url.pathname) ?? refuse("what follows the host is not a database number");
  const port = Number(url.port || 6379);
  const db = Number(database);
  return {
    options: {
      host: url.hostname.replace(/^\[|\]$/g, ""),
      port,
      db,
      ...(url.username !== "" && { username: decode(url.username) }),
      ...(url.password !== "" && { password: decode(url.password) }),
      ...(url.protocol === "rediss:" && { tls: {} }),
    },
    display: `${url.protocol}//${url.hostname}:${port}/${db}`,
    user: url.username === "" ? "default" : decode(url.username),
  };
}

/** A bare `%` is taken as it stands. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function refuse(reason: string): never {
  throw new BullrushError("INVALID_URL", { reason });
}
