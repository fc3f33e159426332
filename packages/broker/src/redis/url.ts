import { isIPv6 } from "node:net";
import type { RedisOptions } from "ioredis";
import { BullrushError } from "../errors/error.js";
import { readParameters } from "./url-parameters.js";

/** By scheme, whether a URL leads to a socket file, and whether it leads through TLS. */
const schemes = new Map([
  ["redis", { socket: false, tls: false }],
  ["valkey", { socket: false, tls: false }],
  ["rediss", { socket: false, tls: true }],
  ["valkeys", { socket: false, tls: true }],
  ["unix", { socket: true, tls: false }],
  ["redis+socket", { socket: true, tls: false }],
]);

/** A URL in its parts, as they are written. */
interface Parts {
  readonly scheme: string;
  /** What stands in front of the last `@`; `undefined` without one. */
  readonly login: string | undefined;
  /** Host and port. */
  readonly place: string;
  readonly path: string;
  readonly query: string;
}

/**
 * Reads the URL of a Redis. It is read by hand, and not by `URL`, which escapes what it finds in a
 * password: of `a<b%zz` nobody could tell then what it was. Throws `INVALID_URL`, which does not
 * show the password.
 */
export function parseUrl(given: string): RedisOptions {
  const parts = split(unquoted(given.trim()));
  const { scheme, place, path, query } = parts;
  const kind = schemes.get(scheme);
  if (kind === undefined) refuse(`its scheme is "${scheme}://"`);
  const login = readLogin(parts);
  if (kind.socket) {
    if (place !== "") refuse(`a ${scheme}:// URL names no host: write three slashes, as in ${scheme}:///run/redis.sock`);
    if (path.length < 2) refuse("it names no socket file");
    return { path: decode(path, "the path"), db: 0, ...login, ...readParameters(query, kind, undefined) };
  }
  const database = path.slice(1);
  if (!/^\d*$/.test(database)) refuse("what follows the host is not a database number");
  const tls = kind.tls ? { tls: {} } : {};
  return { ...readPlace(place), db: 0, ...login, ...tls, ...readParameters(query, kind, database === "" ? undefined : Number(database)) };
}

/** Without the quotes that some readers of `.env` files leave where they are. */
function unquoted(text: string): string {
  return /^(["'])(.*)\1$/s.exec(text)?.[2]?.trim() ?? text;
}

function split(text: string): Parts {
  const [, given = "", rest = ""] = /^([a-z][a-z\d+.-]*):\/\/(.*)$/is.exec(text) ?? [];
  if (given === "") refuse("it does not begin with a scheme such as redis://");
  const scheme = given.toLowerCase();
  const end = /[/?#]|$/.exec(rest)?.index ?? rest.length;
  const [authority, tail] = [rest.slice(0, end), rest.slice(end)];
  if (tail.includes("@")) {
    refuse(
      "an @ stands behind a /, ? or #: in a user or a password write / as %2F, ? as %3F and # as %23; behind the host write @ as %40",
      encodedForm(scheme, rest),
    );
  }
  if (tail.includes("#")) refuse("it has a #: in a password it is written %23");
  const at = authority.lastIndexOf("@");
  const question = tail.indexOf("?");
  return {
    scheme,
    login: at === -1 ? undefined : authority.slice(0, at),
    place: authority.slice(at + 1),
    path: question === -1 ? tail : tail.slice(0, question),
    query: question === -1 ? "" : tail.slice(question + 1),
  };
}

/**
 * How a URL whose user or password is not encoded is to be written, without these; `undefined`
 * where it is not clear what they are.
 */
function encodedForm(scheme: string, rest: string): string | undefined {
  const at = rest.lastIndexOf("@");
  const [login, tail] = [rest.slice(0, at), rest.slice(at + 1)];
  const isClear = login.includes(":") && !login.includes("=") && /^(?:[\w.-]*|\[[\da-f:.]+\])(?::\d+)?(?:\/[\w./-]*)?$/i.test(tail);
  return isClear ? shownForm(scheme, login, tail) : undefined;
}

function shownForm(scheme: string, login: string, tail: string): string {
  const [, user = "***"] = /^([\w.-]*):/.exec(login) ?? [];
  return `${scheme}://${user}:***@${tail} with the password encoded, as encodeURIComponent() does`;
}

function readLogin({ scheme, login, place, path }: Parts): Pick<RedisOptions, "username" | "password"> {
  if (login === undefined) return {};
  const colon = login.indexOf(":");
  const [username, password] = colon === -1 ? [login, ""] : [login.slice(0, colon), login.slice(colon + 1)];
  const form = shownForm(scheme, login, place + path);
  return {
    ...(username !== "" && { username: decode(username, "the user", form) }),
    ...(password !== "" && { password: decode(password, "the password", form) }),
  };
}

function readPlace(place: string): Pick<RedisOptions, "host" | "port"> {
  const [, host = "", port] = /^(\[[^\]]*\]|[^:]*)(?::(.*))?$/s.exec(place) ?? [];
  if (host === "" && place !== "") refuse("its host is not a host's name");
  if (host === "") refuse("it names no host");
  const inner = host.startsWith("[") ? host.slice(1, -1) : host;
  if (host.startsWith("[") ? !isIPv6(inner) : /[\s[\]<>"%^|\\{}`]/.test(host)) refuse("its host is not a host's name");
  const number = port === undefined || port === "" ? 6379 : Number(port);
  if (!/^\d{0,5}$/.test(port ?? "") || number < 1 || number > 65_535) refuse("its port is not a number from 1 to 65535");
  return { host: inner, port: number };
}

/**
 * A `%` stands for itself where nothing looks like an escape. Where some things do, and others do
 * not, nobody knows which password is meant.
 */
function decode(text: string, what: string, form?: string): string {
  if (!/%[\da-f]{2}/i.test(text)) return text;
  if (/%(?![\da-f]{2})/i.test(text)) refuse(`${what} has a % that begins no escape beside one that does: write % as %25`, form);
  try {
    return decodeURIComponent(text);
  } catch {
    return refuse(`what is escaped in ${what} is not UTF-8: write % as %25`, form);
  }
}

function refuse(reason: string, form?: string): never {
  throw new BullrushError("INVALID_URL", { reason, ...(form !== undefined && { form }) });
}
