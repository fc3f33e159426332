import { isDeepStrictEqual } from "node:util";
import type { RedisOptions } from "ioredis";
import { BullrushError } from "../errors/error.js";
import { AskedPassword, type PasswordFunction } from "./asked-password.js";
import { parseUrl } from "./url.js";

/**
 * Where a Redis is: a URL `redis://[user:password@]host[:port][/db]` (`rediss://` for TLS,
 * `unix:///run/redis.sock` for a socket file), or ioredis options, optionally beside a `url`:
 * `sentinels` and `name` for Sentinel, `tls` for certificates, a function as `password` for one
 * that changes. Options that decide how a lost connection is treated are ours and are ignored.
 */
export type RedisLocation =
  | string
  | (Omit<RedisOptions, "password"> & { readonly url?: string; readonly password?: string | PasswordFunction | undefined });

/** A location, read: what ioredis needs, and how it may be shown. */
export interface CompiledLocation {
  readonly options: RedisOptions;
  /**
   * Without user and password: `redis://127.0.0.1:6379/1`,
   * `sentinel://h1:26379,h2:26379/mymaster/1`.
   */
  readonly display: string;
  /**
   * Who connects: the user of the URL, else `default`; `***` if the URL has a user and no password,
   * since it may be the password.
   */
  readonly user: string;
  /** Whether scripts that are run there write BullMQ's events. Default: true. */
  readonly bullmqEvents?: boolean;
  /** Asked at each connect; absent where the password is among the options, or there is none. */
  readonly password?: AskedPassword;
  /** What its user has to know: that the certificate of the server is not looked at. */
  readonly warning?: string;
}

/**
 * Reads `location`. Throws `INVALID_URL`, which never quotes it: it may hold a password. For
 * options that do not fit, `INVALID_OPTION`.
 */
export function compileLocation(location: RedisLocation): CompiledLocation {
  const { url, password, ...given } = typeof location === "string" ? { url: location } : location;
  checkText("url", url);
  checkText("host", given.host);
  const { password: named, ...there }: RedisOptions = url === undefined ? {} : parseUrl(url);
  const options: RedisOptions = { ...there, ...given, ...(given.tls && { tls: { ...there.tls, ...given.tls } }) };
  const secret = password ?? named;
  if (options.keyPrefix) {
    throw new BullrushError("INVALID_OPTION", {
      option: "keyPrefix of a Redis",
      got: "given",
      expected: "nothing there: use the app's prefix",
    });
  }
  const display = describe(options);
  const warning = warningOf(options, display);
  return {
    options: { ...options, ...(typeof secret === "string" && { password: secret }) },
    display,
    user: there.username !== undefined && secret === undefined ? "***" : (options.username ?? "default"),
    ...(isAsked(secret) && { password: new AskedPassword(secret) }),
    ...(warning !== undefined && { warning }),
  };
}

/** Callers without types may give anything. */
function checkText(option: "url" | "host", value: unknown): void {
  if (value === undefined || typeof value === "string") return;
  throw new BullrushError("INVALID_OPTION", { option: `${option} of a Redis`, got: `of the type ${typeof value}`, expected: "a string" });
}

function isAsked(password: unknown): password is PasswordFunction {
  if (password == null || typeof password === "string") return false;
  if (typeof password === "function") return true;
  throw new BullrushError("INVALID_OPTION", {
    option: "password of a Redis",
    got: `of the type ${typeof password}`,
    expected: "a string, or a function that gives one",
  });
}

function warningOf({ tls }: RedisOptions, display: string): string | undefined {
  if (tls?.rejectUnauthorized !== false) return undefined;
  return (
    `the certificate of ${display} is not checked: whoever is on the way there can read and change everything, the password included. ` +
    "Name the authority that signed it instead, with ?tls_ca=file"
  );
}

/**
 * Whether both are one server with one user, whatever their databases: what a script may do for
 * one, it may do for the other.
 */
export function isSameServer(one: CompiledLocation, other: CompiledLocation): boolean {
  return isDeepStrictEqual(serverOf(one), serverOf(other));
}

function serverOf({ options }: CompiledLocation): unknown {
  const { host = "127.0.0.1", port = 6379, path, sentinels, name, tls, username: user = "default" } = options;
  const place = sentinels != null ? { sentinels, name } : path !== undefined ? { path } : { host, port };
  return { place, user, tls };
}

/** `location` as plain data, with the password that was good last. */
export function plainLocation({ password, ...location }: CompiledLocation): CompiledLocation {
  const { last } = password ?? {};
  return last === undefined ? location : { ...location, options: { ...location.options, password: last } };
}

function describe(options: RedisOptions): string {
  const database = options.db ?? 0;
  const sentinels = options.sentinels;
  if (sentinels != null) {
    const hosts = sentinels.map(({ host, port }) => `${host ?? "127.0.0.1"}:${port ?? 26379}`);
    return `sentinel://${hosts.join(",")}/${options.name ?? ""}/${database}`;
  }
  if (options.path !== undefined) return `unix://${options.path}${database === 0 ? "" : `?db=${database}`}`;
  const host = options.host ?? "127.0.0.1";
  const scheme = options.tls === undefined ? "redis" : "rediss";
  return `${scheme}://${host.includes(":") ? `[${host}]` : host}:${options.port ?? 6379}/${database}`;
}
