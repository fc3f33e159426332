import { ours, oursElsewhere, peer } from "../contenders/roster.js";
import { startMeter } from "../measuring/meter.js";
import { connect, memoryOf } from "../measuring/redis.js";
import type { Scenario } from "../measuring/scenario.js";

/**
 * Many tasks and one that gets the results of all: from the call that sends them until that one has
 * ended.
 */
export const fanIn: Scenario = {
  name: "fan-in",
  title: "%n tasks and one that runs when all are done, with their results: a chord, a flow; 100 slots, sending included",
  tasks: 10_000,
  contenders: [ours, oursElsewhere, peer],
  measure: async (contender, setting) => {
    const { tasks } = setting;
    if (contender.fanIn === undefined) throw new Error(`${contender.name} has no fan-in`);
    await contender.load();
    const redis = await connect(setting.url);
    const flow = await contender.fanIn(setting);
    const before = await memoryOf(redis);
    const meter = await startMeter(setting, contender);
    await flow.send(tasks);
    const waitingBytes = ((await memoryOf(redis)) - before) / tasks;
    const results = await flow.work();
    const reading = await meter.read(tasks);
    const sum = results.reduce<number>((all, one) => all + Number(one), 0);
    if (results.length !== tasks || sum !== (tasks * (tasks - 1)) / 2)
      throw new Error(`${results.length} results of ${tasks} tasks, or wrong ones`);
    await flow.close();
    redis.disconnect();
    return { ...reading, waitingBytes };
  },
};
