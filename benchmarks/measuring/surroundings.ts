import { cpus, loadavg } from "node:os";
import { openRedis } from "@bullrush/broker/embedded";
import { Redis } from "ioredis";
import { findPinning, pin, type Pinning } from "./pinning.js";

/** The machine, and the private Redis that all contenders use in turn. */
export interface Surroundings {
  readonly url: string;
  /** The core for Node; any when absent. */
  readonly core?: number;
  /** Lines about it, to show. */
  readonly description: readonly string[];
  /** Why the figures may mislead. */
  readonly warnings: readonly string[];
  close(): Promise<void>;
}

export async function openSurroundings(): Promise<Surroundings> {
  const redis = await openRedis();
  const pinning = redis.kind === "native" ? findPinning() : undefined;
  if (pinning !== undefined) pin(await pidOf(redis.url), pinning.redis);
  return {
    url: redis.url,
    ...(pinning !== undefined && { core: pinning.node }),
    description: [`${redis.description}; Node ${process.version}; ${cpus().length} cores; ${pinned(pinning)}; ${load()}`],
    warnings: [
      ...(redis.kind === "native" ? [] : ["no native Redis on PATH: the embedded one is several times slower and hides most differences"]),
      ...(pinning === undefined ? ["not pinned to cores (that takes Linux, taskset and two cores): expect more noise"] : []),
      ...((loadavg()[0] ?? 0) > 0.5 ? ["other programs use this machine now: read the ratios, not the figures"] : []),
    ],
    close: () => redis.stop(),
  };
}

/** How busy the machine was during the last minute, these benchmarks included. */
export function load(): string {
  return `load average ${(loadavg()[0] ?? 0).toFixed(2)}`;
}

function pinned(pinning: Pinning | undefined): string {
  return pinning === undefined ? "not pinned" : `Redis on core ${pinning.redis}, Node on core ${pinning.node}`;
}

async function pidOf(url: string): Promise<number> {
  const redis = new Redis(url);
  const server = await redis.info("server");
  redis.disconnect();
  return Number(/process_id:(\d+)/.exec(server)?.[1]);
}
