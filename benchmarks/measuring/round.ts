import type { Contender } from "../contenders/contender.js";
import type { Sample } from "./metric.js";
import { connect } from "./redis.js";
import type { Scenario } from "./scenario.js";
import type { Setting } from "./setting.js";
import { runBeside, runStage, type Stage, type StageOptions } from "./stage.js";

/** One run of `scenario` with one contender, on an empty Redis. */
export async function runOnce(scenario: Scenario, contender: Contender, given: Setting, options: StageOptions): Promise<Sample> {
  await Promise.all([given.url, given.otherUrl].map(empty));
  if (given.quick) return runHere(scenario, contender, given);
  const { profile: _, ...plain } = options;
  const stage = (type: Stage["type"], setting: Setting): Stage => ({ type, scenario: scenario.name, contender: contender.id, setting });
  const prepared = scenario.prepare === undefined ? undefined : await runStage(stage("prepare", given), plain);
  const setting = prepared?.type === "prepared" ? { ...given, sent: prepared.sent } : given;
  const measure = async (setting: Setting): Promise<Sample> => {
    const said = await runStage(stage("measure", setting), options);
    return said.type === "done" ? said.sample : {};
  };
  if (scenario.work === undefined) return measure(setting);
  return runBeside(stage("work", setting), options, (worker) => measure({ ...setting, worker }));
}

/** In this process, because starting others would take longer than the run. */
async function runHere(scenario: Scenario, contender: Contender, given: Setting): Promise<Sample> {
  const setting = { ...given, sent: (await scenario.prepare?.(contender, given)) ?? [], worker: process.pid };
  const stop = await scenario.work?.(contender, setting);
  try {
    return await scenario.measure(contender, setting);
  } finally {
    await stop?.();
  }
}

async function empty(url: string): Promise<void> {
  const redis = await connect(url);
  await redis.flushall();
  redis.disconnect();
}
