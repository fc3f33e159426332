import { isDeepStrictEqual } from "node:util";
import type { RedisOptions } from "ioredis";
import { BullrushError } from "../error.js";

/**
 * Where a Redis is: a URL `redis://[user:password@]host[:port][/db]` (`rediss://` for TLS), or ioredis options, optionally beside a `url`: `sentinels` and
 * `name` for Sentinel, `tls` for certificates. Options that decide how a lost connection is treated are ours and are ignored.
 */
export type RedisLocation = string | (RedisOptions & { readonly url?: string });

/** A location, read: what ioredis needs, and how it may be shown. */
export interface CompiledLocation {
  readonly options: RedisOptions;
  /** Without user and password: `redis://127.0.0.1:6379/1`, `sentinel://h1:26379,h2:26379/mymaster/1`. */
  readonly display: string;
  /** Who connects: the user of the URL, else `default`. */
  readonly user: string;
  /** Whether scripts that are run there write BullMQ's events. Default: true. */
  readonly bullmqEvents?: boolean;
}

/** Reads `location`. Throws `INVALID_URL`, which never quotes it: it may hold a password. */
export function compileLocation(location: RedisLocation): CompiledLocation {
  const { url, ...given } = typeof location === "string" ? { url: location } : location;
  const options: RedisOptions = { ...(url === undefined ? {} : parseUrl(url)), ...given };
  if (options.keyPrefix) {
    throw new BullrushError("INVALID_OPTION", {
      option: "keyPrefix of a Redis",
      got: "given",
      expected: "nothing there: use the app's prefix",
    });
  }
  return { options, display: describe(options), user: options.username ?? "default" };
}

/** Whether both are one server with one user, whatever their databases: what a script may do for one, it may do for the other. */
export function isSameServer(one: CompiledLocation, other: CompiledLocation): boolean {
  return isDeepStrictEqual(serverOf(one), serverOf(other));
}

function serverOf({ options, user }: CompiledLocation): unknown {
  const { host = "127.0.0.1", port = 6379, path, sentinels, name, tls } = options;
  const place = sentinels != null ? { sentinels, name } : path !== undefined ? { path } : { host, port };
  return { place, user, tls };
}

function parseUrl(text: string): RedisOptions {
  const url = parseOrRefuse(text);
  if (url.protocol !== "redis:" && url.protocol !== "rediss:") refuse(`its scheme is "${url.protocol}//"`);
  if (url.hostname === "") refuse("it names no host");
  if (url.search !== "" || url.hash !== "") refuse("it has a query or a fragment; in a password, ? is written %3F and # is written %23");
  const database = url.pathname.replace(/^\//, "");
  if (!/^\d*$/.test(database)) refuse("what follows the host is not a database number");
  return {
    host: decode(url.hostname).replace(/^\[|\]$/g, ""),
    port: url.port === "" ? 6379 : Number(url.port),
    db: database === "" ? 0 : Number(database),
    ...(url.username !== "" && { username: decode(url.username) }),
    ...(url.password !== "" && { password: decode(url.password) }),
    ...(url.protocol === "rediss:" && { tls: {} }),
  };
}

function parseOrRefuse(text: string): URL {
  try {
    return new URL(text);
  } catch {
    return refuse("it cannot be parsed");
  }
}

/** A bare `%` is taken as it stands. */
function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function describe(options: RedisOptions): string {
  const database = options.db ?? 0;
  const sentinels = options.sentinels;
  if (sentinels != null) {
    const hosts = sentinels.map(({ host, port }) => `${host ?? "127.0.0.1"}:${port ?? 26379}`);
    return `sentinel://${hosts.join(",")}/${options.name ?? ""}/${database}`;
  }
  if (options.path !== undefined) return `unix://${options.path}/${database}`;
  const host = options.host ?? "127.0.0.1";
  const scheme = options.tls === undefined ? "redis" : "rediss";
  return `${scheme}://${host.includes(":") ? `[${host}]` : host}:${options.port ?? 6379}/${database}`;
}

function refuse(reason: string): never {
  throw new BullrushError("INVALID_URL", { reason });
}
