import { setTimeout as pause } from "node:timers/promises";
import { ours, peer } from "../contenders/roster.js";
import { now } from "../measuring/clock.js";
import type { Scenario } from "../measuring/scenario.js";
import { quantile } from "../measuring/statistics.js";

const warmUp = 20;

/** Time between two calls, in ms: long enough for the worker to be idle again. */
const idle = 20;

/** One call at a time to a worker that has nothing else to do. A task's result is the time at which it started. */
export const idleLatency: Scenario = {
  name: "idle-latency",
  title: `%n tasks, each sent when its worker has been idle for ${idle} ms`,
  tasks: 200,
  contenders: [ours, peer],

  work: (contender, { url }) => contender.consume(url, 100, () => now()),

  measure: async (contender, { url, tasks }) => {
    const producer = contender.produce(url);
    const starts: number[] = [];
    const results: number[] = [];
    for (let call = 0; call < warmUp + tasks; call++) {
      await pause(idle);
      const calledAt = now();
      const startedAt = await producer.ask(call);
      const endedAt = now();
      if (call < warmUp) continue;
      starts.push(startedAt - calledAt);
      results.push(endedAt - calledAt);
    }
    await producer.close();
    return {
      startP50: quantile(starts, 0.5),
      startP99: quantile(starts, 0.99),
      resultP50: quantile(results, 0.5),
      resultP99: quantile(results, 0.99),
    };
  },
};
