import { Redis } from "ioredis";
import type { Contender } from "../contenders/contender.js";
import type { Sample } from "./metric.js";
import type { Scenario, Setting } from "./scenario.js";
import { runBeside, runStage, type Stage, type StageOptions } from "./stage.js";

/** One run of `scenario` with one contender, on an empty Redis. */
export async function runOnce(scenario: Scenario, contender: Contender, setting: Setting, options: StageOptions): Promise<Sample> {
  await empty(setting.url);
  const { profile: _, ...plain } = options;
  const stage = (type: Stage["type"]): Stage => ({ type, scenario: scenario.name, contender: contender.name, setting });
  if (scenario.prepare !== undefined) await runStage(stage("prepare"), plain);
  const measure = () => runStage(stage("measure"), options);
  return scenario.work === undefined ? measure() : runBeside(stage("work"), options, measure);
}

async function empty(url: string): Promise<void> {
  const redis = new Redis(url);
  await redis.flushall();
  redis.disconnect();
}
