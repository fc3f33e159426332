import { setTimeout as pause } from "node:timers/promises";
import { bodies } from "../contenders/body.js";
import type { Contender } from "../contenders/contender.js";
import { startMeter } from "./meter.js";
import type { Sample } from "./metric.js";
import { connect } from "./redis.js";
import type { Sent, Setting } from "./setting.js";

/**
 * Interval of the looks at what is left, in ms. It bounds the precision of the end; more looks
 * would cost time that is measured.
 */
const interval = 5;

/** A task counts as lost after this time without any progress, in ms. */
const patience = 60_000;

/** Sends the tasks to drain. */
export async function fill(contender: Contender, setting: Setting): Promise<readonly Sent[]> {
  const producer = await contender.produce(setting);
  const sent = await producer.sendBulk(0, setting.tasks, 1000);
  await producer.close();
  return sent;
}

/**
 * Measures from the start of a worker until all waiting tasks are done and their results are
 * stored. A program in another language is measured from when it is ready. Throws if a task is
 * missing, has failed, or has a wrong result.
 */
export async function measureDrain(contender: Contender, setting: Setting, concurrency: number): Promise<Sample> {
  const { tasks } = setting;
  const { outside = false, queue } = contender;
  const redis = await connect(setting.url);
  await contender.load();
  let ran = 0;
  const consume = () => contender.consume(setting, { concurrency, onRun: () => (ran += 1) });
  let stop = outside ? await consume() : undefined;
  const meter = await startMeter(setting, contender);
  stop ??= await consume();
  await untilNone(async () => (!outside && ran < tasks ? tasks - ran : queue.unfinished(redis, tasks)));
  const reading = await meter.read(tasks);
  if (!outside && ran !== tasks) throw new Error(`${ran} runs of ${tasks} tasks`);
  const failed = await queue.failed(redis);
  if (failed > 0) throw new Error(`${failed} tasks failed`);
  redis.disconnect();
  await stop();
  await checkResults(contender, setting);
  return reading;
}

/** Resolves when nothing is left. Throws after a minute without progress. */
export async function untilNone(left: () => Promise<number>): Promise<void> {
  let before = NaN;
  let changedAt = Date.now();
  for (let now = await left(); now > 0; now = await left()) {
    if (now !== before) [before, changedAt] = [now, Date.now()];
    if (Date.now() - changedAt > patience) throw new Error(`${now} tasks are not done, and no other has been for ${patience / 1000} s`);
    await pause(interval);
  }
}

/** Throws unless the last tasks have the right results. */
async function checkResults(contender: Contender, setting: Setting): Promise<void> {
  const { storesResults = true } = contender;
  const producer = await contender.produce(setting);
  const results = await producer.results(setting.sent);
  if (results.length === 0) throw new Error("no results to look at");
  for (const [index, { number }] of setting.sent.entries()) {
    const result = results[index];
    if (storesResults && result !== bodies[setting.body](number)) throw new Error(`task ${number} gave ${String(result).slice(0, 80)}`);
  }
  await producer.close();
}
