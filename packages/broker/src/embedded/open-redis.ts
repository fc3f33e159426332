import { BullrushError } from "../errors/error.js";
import { binaryNames, findBinaries } from "./binary.js";
import { freePort } from "./free-port.js";
import { useGiven } from "./given.js";
import { launch } from "./launch.js";
import type { RedisServer } from "./redis-server.js";
import type { Program } from "./supervised.js";

export interface OpenRedisOptions {
  /** Use this one and start none: `redis://[user:password@]host[:port][/db]` or `rediss://…`. Default: none is given. */
  readonly url?: string;
  /** Start this kind or none; without effect beside `url`. Default: `native`, and `embedded` where there is no native one that starts. */
  readonly only?: "native" | "embedded";
  /** The directories in which `valkey-server` and `redis-server` are looked for, in the form of PATH. Default: the environment's PATH. */
  readonly path?: string;
}

/**
 * Opens a Redis: the one at `url`, else a `valkey-server` or `redis-server` on PATH, else Valkey as WebAssembly. A server that is started listens on a free port
 * of 127.0.0.1, without a password, saves nothing, ends with this process, however that ends, and does not keep it alive. Throws `NO_REDIS` when none can be started; for a URL
 * `INVALID_URL`, `REDIS_AUTH`, `REDIS_UNSUITABLE`, and `BROKER_UNAVAILABLE` when it has not answered a PING after 5 s.
 */
export async function openRedis(options: OpenRedisOptions = {}): Promise<RedisServer> {
  if (options.url !== undefined) return useGiven(options.url);
  const tried: string[] = [];
  if (options.only !== "embedded") {
    const binaries = findBinaries(options.path ?? process.env["PATH"] ?? "");
    if (binaries.length === 0) tried.push(`no ${binaryNames.join(" or ")} on PATH`);
    for (const binary of binaries) {
      const server = await attempt({ kind: "native", binary }, binary, tried);
      if (server !== undefined) return server;
    }
  }
  if (options.only !== "native") {
    const server = await attempt({ kind: "embedded" }, "embedded Valkey", tried);
    if (server !== undefined) return server;
  }
  throw new BullrushError("NO_REDIS", { tried });
}

async function attempt(program: Program, name: string, tried: string[]): Promise<RedisServer | undefined> {
  const result = await launch(program, freePort);
  if (result.type === "running") return result.server;
  tried.push(`${name} did not start: ${result.reason}`);
  return undefined;
}
