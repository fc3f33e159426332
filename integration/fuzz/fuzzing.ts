import { eventually } from "../lib/eventually.js";
import { honestCalls, notesOf, type HonestCall } from "./honest-load.js";
import { judgeAnswers, judgeIdle, judgeLives, judgeMemory, judgeRedis, judgeStops, judgeTicks } from "./judge.js";
import { forgetSlowCalls } from "./measuring.js";
import { openPlanter } from "./planter.js";
import { logOf, shownCpu, shownMemory, shownRedis, shownTally } from "./report.js";
import { plantsOf, type Kind } from "./plants.js";
import type { Plant } from "./plant.js";
import { openStage, type Stage } from "./stage.js";

export interface FuzzOptions {
  readonly seed: number;
  /** Honest tasks. */
  readonly tasks: number;
  /** How many things are planted for each honest task. */
  readonly share: number;
  /** The kinds to plant. Default: all. */
  readonly kinds?: readonly Kind[];
  /** Whether `lines` also contain the output of the processes. Default: false. */
  readonly log?: boolean;
}

export interface FuzzReport {
  readonly faults: readonly string[];
  /** Lines for people: a summary, and figures. */
  readonly lines: readonly string[];
}

/** Most honest calls under way at once. */
const maxUnderway = 300;

/** Maximum number of faults of honest calls that are reported. */
const maxFaults = 5;

/** How long processes may take to come to rest, in ms. */
const restWithin = 5000;

/**
 * Sends the calls, with `between` after each, and waits until all have ended. Gives what is wrong
 * with them.
 */
async function run(
  { app, notes }: Stage,
  calls: readonly HonestCall[],
  between: (index: number) => Promise<void>,
): Promise<readonly string[]> {
  const faults: string[] = [];
  const underway = new Set<Promise<void>>();
  for (const [index, { kind, send }] of calls.entries()) {
    const one = send(app)
      .then((ended) => ended())
      .catch((error: unknown) => String(error))
      .then((fault) => void (fault !== undefined && faults.push(`call ${index} (${kind}) ${fault}`)));
    underway.add(one);
    void one.then(() => underway.delete(one));
    await between(index);
    // The seed is enough to see it again.
    if (faults.length > 0) break;
    while (underway.size >= maxUnderway) await Promise.race(underway);
  }
  await Promise.all(underway);
  if (faults.length > 0) return faults.slice(0, maxFaults);
  const fields = notesOf(calls).map((index) => `note-${index}`);
  const missing = async () => {
    const values = fields.length === 0 ? [] : await notes.hmget("notes", ...fields);
    return fields.filter((_, at) => values[at] === null);
  };
  await eventually("all that leave no result have run", async () => (await missing()).length === 0).catch(async () => {
    faults.push(`${(await missing()).length} of ${fields.length} calls without a result have not run`);
  });
  return faults;
}

/** Loads the scripts into Redis, which compiles each at its first load. */
async function warmUp(stages: readonly Stage[], seed: number): Promise<void> {
  const calls = honestCalls(100, seed + 1);
  const faults = (await Promise.all(stages.map((stage) => run(stage, calls, async () => undefined)))).flat();
  if (faults.length > 0) throw new Error(`before anything was planted, ${faults.join(", ")}`);
  for (const stage of stages) {
    await stage.notes.del("notes");
    await forgetSlowCalls(stage);
  }
}

/**
 * Sends the calls to both stages, and plants among those of the first. Gives what is wrong, and how
 * long each took, in ms.
 */
async function load([fuzzed, twin]: readonly [Stage, Stage], calls: readonly HonestCall[], plants: readonly Plant[]): Promise<Load> {
  const planter = openPlanter(fuzzed.url);
  const every = calls.length / plants.length;
  let planted = 0;
  const plantUntil = async (index: number) => {
    while (planted < plants.length && planted * every <= index) await planter.plant(plants[planted++] as Plant);
  };
  const timed = async (stage: Stage, between: (index: number) => Promise<void>) => {
    const began = Date.now();
    return { faults: await run(stage, calls, between), took: Date.now() - began };
  };
  try {
    const [one, other] = await Promise.all([timed(fuzzed, plantUntil), timed(twin, async () => undefined)]);
    return { faults: [...one.faults, ...other.faults.map((fault) => `of the twin: ${fault}`)], took: [one.took, other.took] };
  } finally {
    planter.close();
  }
}

interface Load {
  readonly faults: readonly string[];
  readonly took: readonly [fuzzed: number, twin: number];
}

/**
 * Plants what the seed says among honest tasks, and judges what becomes of them and of the
 * processes. A twin runs the same without anything planted.
 */
export async function fuzz({ seed, tasks, share, kinds, log = false }: FuzzOptions): Promise<FuzzReport> {
  const calls = honestCalls(tasks, seed);
  const plants = plantsOf(Math.max(1, Math.round(tasks * share)), seed, kinds);
  const count = calls.reduce((sum, call) => sum + call.tasks, 0);
  const lines = [`seed ${seed}: ${count} honest tasks in ${calls.length} calls, ${plants.length} things planted`];
  const stages = await Promise.all([openStage(), openStage()]);
  const [fuzzed, twin] = stages;
  try {
    await warmUp(stages, seed);
    const { faults: unlike, took } = await load(stages, calls, plants);
    const faults = [...unlike];
    lines.push(`load, in s: ${(took[0] / 1000).toFixed(1)} (${(took[1] / 1000).toFixed(1)})`);
    const idle = await judgeIdle(fuzzed, twin, restWithin);
    faults.push(...idle.faults, ...(await judgeLives(fuzzed)));
    lines.push(shownCpu(idle.figures));
    // A process that has ended, or spins, would have all of these wait for their deadlines.
    if (faults.length === 0) {
      faults.push(...(await judgeTicks(fuzzed)), ...(await judgeAnswers(fuzzed, plants)));
      const memory = await judgeMemory(fuzzed, twin);
      faults.push(...memory.faults);
      lines.push(shownMemory(memory.figures));
    }
    const redis = await judgeRedis(fuzzed, twin);
    faults.push(...redis.faults, ...(await judgeStops(fuzzed)));
    lines.push(shownRedis(redis.figures), shownTally(fuzzed), ...(log ? logOf(fuzzed) : []));
    return { faults, lines };
  } finally {
    await Promise.all(stages.map((stage) => stage.close()));
  }
}
