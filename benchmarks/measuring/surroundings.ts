import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { cpus, loadavg, tmpdir, totalmem, type } from "node:os";
import { join } from "node:path";
import { openRedis } from "@bullrush/broker/embedded";
import { findPinning, pin, type Pinning } from "./pinning.js";
import { connect } from "./redis.js";

/** The machine, and the private servers that all contenders use in turn. */
export interface Machine {
  readonly url: string;
  readonly otherUrl: string;
  /** A folder that is removed in the end. */
  readonly folder: string;
  /** The core for Node; any when absent. */
  readonly core?: number;
  /** Lines that describe the machine. */
  readonly description: readonly string[];
  /** Why the figures may mislead. */
  readonly warnings: readonly string[];
  close(): Promise<void>;
}

/** Starts the servers; `pinned` says whether Redis and Node get cores of their own. */
export async function openMachine(options: { readonly pinned: boolean }): Promise<Machine> {
  const redis = await openRedis();
  const other = await openRedis();
  const folder = await mkdtemp(join(tmpdir(), "bullrush-bench-"));
  const pinning = redis.kind === "native" && options.pinned ? findPinning() : undefined;
  if (pinning !== undefined) for (const { url } of [redis, other]) pin(await pidOf(url), pinning.redis);
  return {
    url: redis.url,
    otherUrl: other.url,
    folder,
    ...(pinning !== undefined && { core: pinning.node }),
    description: [
      `${cpus().length} × ${cpus()[0]?.model ?? "unknown processor"}, ${Math.round(totalmem() / 2 ** 30)} GB, ${type()}`,
      `${redis.description.replace(/,.*/, "")}, which saves nothing; Node ${process.version}; ${pinned(pinning)}`,
      load(),
    ],
    warnings: [
      ...(redis.kind === "native" ? [] : ["no native Redis on PATH: the embedded one is several times slower and hides most differences"]),
      ...(pinning === undefined ? ["not pinned to cores (that takes Linux, taskset and two cores): expect more noise"] : []),
      ...((loadavg()[0] ?? 0) > 0.5 ? ["other programs used the machine when this began: read the ratios, not the figures"] : []),
    ],
    close: async () => {
      await Promise.all([redis.stop(), other.stop(), rm(folder, { recursive: true, force: true })]);
    },
  };
}

/** How busy the machine was during the last minute. */
function load(): string {
  return `load average ${(loadavg()[0] ?? 0).toFixed(2)} before it began`;
}

/** The commit that is measured; absent where there is no git. */
export function commit(): string | undefined {
  const { status, stdout } = spawnSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
}

function pinned(pinning: Pinning | undefined): string {
  return pinning === undefined ? "not pinned" : `Redis on core ${pinning.redis}, Node and others on core ${pinning.node}`;
}

async function pidOf(url: string): Promise<number> {
  const redis = await connect(url);
  const server = await redis.info("server");
  redis.disconnect();
  return Number(/process_id:(\d+)/.exec(server)?.[1]);
}
