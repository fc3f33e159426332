import { connect } from "../measuring/redis.js";
import type { ScriptCase } from "./cases.js";
import { emptyScript, type MeasuredScripts } from "./loaded.js";

/** What a call of each script took in Redis, in µs, a value for each round. */
export interface ScriptCost {
  readonly title: string;
  readonly series: readonly { readonly name: string; readonly values: readonly number[] }[];
}

export interface MeasureOptions {
  readonly rounds: number;
  /** Calls of a run; fewer in a case of which each call is for many messages. */
  readonly calls: number;
}

/** Most messages of a run. */
const maxMessages = 100_000;

/** Calls that are sent together, so that Redis is never idle between two. */
const atOnce = 100;

/** Runs each of `scripts` in each of `cases`, in turn within each round, forth and back. The Redis at `url` must be idle. */
export async function measureScripts(
  url: string,
  cases: readonly ScriptCase[],
  scripts: readonly MeasuredScripts[],
  { rounds, calls }: MeasureOptions,
): Promise<readonly ScriptCost[]> {
  const costs: ScriptCost[] = [];
  for (const one of cases) {
    const run = one.beside ? [...scripts, emptyScript] : scripts;
    const values = new Map<MeasuredScripts, number[]>(run.map((script) => [script, []]));
    const count = Math.max(1, Math.min(calls, Math.floor(maxMessages / Math.max(1, one.messages))));
    for (let round = 0; round < rounds; round++) {
      const forth = [...values];
      for (const [script, taken] of round % 2 === 0 ? forth : forth.toReversed()) taken.push(await costOf(url, one, script, count));
    }
    costs.push({ title: one.title, series: [...values].map(([{ name }, taken]) => ({ name, values: taken })) });
  }
  return costs;
}

async function costOf(url: string, one: ScriptCase, scripts: MeasuredScripts, calls: number): Promise<number> {
  const redis = await connect(url);
  try {
    await redis.flushall();
    await one.prepare(redis, calls);
    const sha = String(await redis.script("LOAD", scripts[one.script]));
    await redis.call("CONFIG", "RESETSTAT");
    for (let number = 0; number < calls; number += atOnce) {
      const pipeline = redis.pipeline();
      for (let at = number; at < Math.min(number + atOnce, calls); at++) {
        const { keys, args } = one.call(at);
        pipeline.evalsha(sha, keys.length, ...keys, ...args);
      }
      for (const [error] of (await pipeline.exec()) ?? []) if (error) throw error;
    }
    if (one.messages > 0 && (await redis.dbsize()) === 0 && scripts !== emptyScript) throw new Error(`${one.title}: nothing was done`);
    const stats = await redis.info("commandstats");
    return Number(/^cmdstat_evalsha:.*usec_per_call=([\d.]+)/m.exec(stats)?.[1]);
  } finally {
    redis.disconnect();
  }
}
