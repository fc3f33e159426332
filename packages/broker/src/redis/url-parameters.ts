import { readFileSync } from "node:fs";
import type { RedisOptions } from "ioredis";
import { BullrushError } from "../errors/error.js";
import { reasonOf } from "./reason.js";

/** What the parameters of a URL say together. */
interface Said {
  db?: number;
  family?: number;
  /** Whether the certificate of the server has to be valid. */
  verified?: boolean;
  ca?: string;
  cert?: string;
  key?: string;
}

type Parameter = (value: string, name: string) => Said;

/** By name. Those with `ssl_` are Celery's, as is `virtual_host`. */
const parameters = new Map<string, Parameter>([
  ["db", (value, name) => ({ db: database(value, name) })],
  ["virtual_host", (value, name) => ({ db: database(value.replace(/^\//, ""), name) })],
  ["family", (value, name) => ({ family: Number(oneOf(["0", "4", "6"], value, name)) })],
  ["tls_ca", (value, name) => ({ ca: contentOf(value, name) })],
  ["tls_insecure", (value, name) => ({ verified: ["0", "false"].includes(oneOf(["1", "true", "0", "false"], value, name)) })],
  ["ssl_cert_reqs", (value, name) => ({ verified: oneOf(demands, value.toLowerCase().replace(/^cert_/, ""), name) !== "none" })],
  ["ssl_ca_certs", (value, name) => ({ ca: contentOf(value, name) })],
  ["ssl_certfile", (value, name) => ({ cert: contentOf(value, name) })],
  ["ssl_keyfile", (value, name) => ({ key: contentOf(value, name) })],
]);

/** To a client, `optional` means the same as `required`: Python says so, too. */
const demands = ["required", "optional", "none"];

/**
 * Reads what stands behind the `?` of a URL. `db` is the database that its path names. Throws
 * `INVALID_URL`.
 */
export function readParameters(query: string, scheme: { readonly tls: boolean }, db: number | undefined): RedisOptions {
  const said: Said = db === undefined ? {} : { db };
  for (const piece of query.split("&").filter((piece) => piece !== "")) {
    const [name, value] = nameAndValue(piece);
    const parameter = parameters.get(name);
    if (parameter === undefined) refuse(`"${name.slice(0, 80)}" is none of its parameters, which are ${[...parameters.keys()].join(", ")}`);
    if (/^(tls|ssl)_/.test(name) && !scheme.tls) refuse(`${name} is for TLS: write rediss:// or valkeys://`);
    for (const [key, fact] of Object.entries(parameter(value, name))) {
      const before = said[key as keyof Said];
      if (before !== undefined && before !== fact) refuse(`${name} says something else than what stands before it`);
      Object.assign(said, { [key]: fact });
    }
  }
  return optionsOf(said);
}

function optionsOf({ db, family, verified, ca, cert, key = cert }: Said): RedisOptions {
  const tls = {
    ...(ca !== undefined && { ca }),
    // As in Python, one file may hold both.
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(verified === false && { rejectUnauthorized: false }),
  };
  return {
    ...(db !== undefined && { db }),
    ...(family !== undefined && { family }),
    ...(Object.keys(tls).length > 0 && { tls }),
  };
}

/** What has no `=` is not shown: it may be the rest of a password. */
function nameAndValue(piece: string): readonly [name: string, value: string] {
  const at = piece.indexOf("=");
  if (at === -1) refuse("a parameter has no value; in a password, ? is written %3F");
  const [name, value] = [piece.slice(0, at), piece.slice(at + 1)];
  try {
    return [name, decodeURIComponent(value)];
  } catch {
    return refuse("the value of a parameter has a % that begins no escape: write % as %25");
  }
}

function database(value: string, name: string): number {
  if (!/^\d{1,9}$/.test(value)) refuse(`${name} is not a database number`);
  return Number(value);
}

function oneOf(choices: readonly string[], value: string, name: string): string {
  if (!choices.includes(value)) refuse(`${name} is not one of ${choices.join(", ")}`);
  return value;
}

function contentOf(file: string, name: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    return refuse(`the file of ${name} cannot be read: ${reasonOf(error)}`);
  }
}

function refuse(reason: string): never {
  throw new BullrushError("INVALID_URL", { reason });
}
