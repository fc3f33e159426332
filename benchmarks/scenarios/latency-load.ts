import { setTimeout as pause } from "node:timers/promises";
import { bee, ours, peer } from "../contenders/roster.js";
import type { Producer } from "../contenders/contender.js";
import { now } from "../measuring/clock.js";
import { summary, timed, type Latency } from "../measuring/latency.js";
import type { Scenario } from "../measuring/scenario.js";
import { sized, type Setting } from "../measuring/setting.js";

/** A rate in tasks/s that every contender can take on a small machine, the same for all. */
const equalLoad = 1000;

/**
 * Tasks at a steady rate, whether earlier ones are done or not: half of what the contender can
 * take, or the same for all.
 */
export function latencyLoad(load: "half" | "equal"): Scenario {
  return {
    name: `latency-${load}-load`,
    title:
      load === "half"
        ? "%n tasks, sent at half the rate of round trips that this library reaches here"
        : `%n tasks, ${equalLoad.toLocaleString("en-US")} sent each second`,
    tasks: 5000,
    body: "clock",
    contenders: [ours, bee, peer],

    work: (contender, setting) => contender.consume(setting, { concurrency: 100 }),

    measure: async (contender, setting) => {
      const producer = await contender.produce(setting);
      const capacity = await capacityOf(producer, setting);
      const offered = load === "half" ? capacity / 2 : equalLoad;
      const latencies = await askSteadily(producer, setting.tasks, offered);
      await producer.close();
      return { ...summary(latencies), offered };
    },
  };
}

/** Round trips/s with 100 in flight, when all is warm. */
async function capacityOf(producer: Producer, setting: Setting): Promise<number> {
  const tasks = sized(5000, setting);
  await askConcurrently(producer, sized(2000, setting));
  const startedAt = now();
  await askConcurrently(producer, tasks);
  return (tasks / (now() - startedAt)) * 1000;
}

async function askConcurrently(producer: Producer, tasks: number): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < tasks) await producer.ask(next++);
  };
  await Promise.all(Array.from({ length: 100 }, lane));
}

/**
 * Each task is timed from when it is due, so that a client that falls behind cannot hide it;
 * several are due in the same ms if `rate` is above 1,000/s.
 */
async function askSteadily(producer: Producer, tasks: number, rate: number): Promise<readonly Latency[]> {
  const startedAt = now();
  const calls: Promise<Latency>[] = [];
  while (calls.length < tasks) {
    for (let due = dueAt(calls.length); due <= now() && calls.length < tasks; due = dueAt(calls.length)) {
      calls.push(timed(producer, calls.length, due));
    }
    await pause(1);
  }
  return Promise.all(calls);

  function dueAt(call: number): number {
    return startedAt + Math.floor((call * 1000) / rate);
  }
}
