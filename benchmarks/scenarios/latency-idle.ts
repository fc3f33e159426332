import { setTimeout as pause } from "node:timers/promises";
import { bee, ours, peer } from "../contenders/roster.js";
import { summary, timed, type Latency } from "../measuring/latency.js";
import type { Scenario } from "../measuring/scenario.js";
import { sized } from "../measuring/setting.js";

/** Time between two calls, in ms: long enough for the worker to be idle again. */
const idle = 20;

/** One call at a time to a worker that has nothing else to do. */
export const latencyIdle: Scenario = {
  name: "latency-idle",
  title: `%n tasks, each sent when its worker has been idle for ${idle} ms`,
  tasks: 200,
  body: "clock",
  contenders: [ours, bee, peer],

  work: (contender, setting) => contender.consume(setting, { concurrency: 100 }),

  measure: async (contender, setting) => {
    const producer = await contender.produce(setting);
    const warmUp = sized(20, setting);
    const latencies: Latency[] = [];
    for (let call = 0; call < warmUp + setting.tasks; call++) {
      await pause(idle);
      latencies.push(await timed(producer, call));
    }
    await producer.close();
    return summary(latencies.slice(warmUp));
  },
};
