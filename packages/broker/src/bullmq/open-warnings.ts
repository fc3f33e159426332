import { checkEviction } from "../redis/eviction.js";
import type { Connection } from "../redis/connection.js";
import { missingCommands } from "../redis/probe-rights.js";
import { missingRights } from "../redis/rights.js";
import { settleAndTakeScript } from "./settle-and-take.js";
import { plainCommands, workerScripts } from "./worker-scripts.js";

export interface OpenWarningsOptions {
  /** What the keys start with under which the worker needs rights. */
  readonly prefix: string;
  /** Whether a Redis may be used that evicts keys. */
  readonly allowEviction: boolean;
  /** Longest time that a call may take, outages included, in ms. */
  readonly deadline: number;
}

/** Largest difference between the clocks that is not warned of, in ms. */
const maxSkew = 2000;

/**
 * What the user of a worker should know of its Redis: its clock is off, it may evict keys, or
 * rights are missing. Throws `REDIS_UNSUITABLE` if eviction is possible and not allowed, and
 * `REDIS_AUTH` if a right is missing without which no message can be taken, settled or held.
 */
export async function openWarnings(commands: Connection, options: OpenWarningsOptions): Promise<readonly string[]> {
  const { prefix, allowEviction, deadline } = options;
  const { display } = commands;
  const { skew, evicting, missing } = await commands.run({ action: "the worker did not start", deadline }, async (client) => {
    const before = Date.now();
    const [seconds, microseconds] = await client.time();
    return {
      skew: Number(seconds) * 1000 + Number(microseconds) / 1000 - (before + Date.now()) / 2,
      evicting: await checkEviction(client, display, allowEviction),
      missing: await missingCommands(client, prefix, workerScripts()),
    };
  });
  return [
    ...(Math.abs(skew) > maxSkew ? [`the clock of ${display} differs by ${Math.round(skew)} ms: delays will be off by as much`] : []),
    ...(evicting === undefined ? [] : [evicting]),
    ...(await warningOfRights(commands, missing)),
  ];
}

async function warningOfRights(commands: Connection, missing: readonly string[]): Promise<readonly string[]> {
  const error = missing.length === 0 ? undefined : await commands.denied([missingRights(missing)], settleAndTakeScript);
  if (error === undefined) return [];
  const needed = await plainCommands();
  if (missing.some((command) => needed.has(command))) throw error;
  return [`${error.message}; what needs that fails`];
}
