import { bee, ours, peer } from "../contenders/roster.js";
import { connect, memoryOf } from "../measuring/redis.js";
import type { Scenario } from "../measuring/scenario.js";
import { sized } from "../measuring/setting.js";

/** The memory of a waiting task in Redis. */
export const memoryQueued: Scenario = {
  name: "memory-queued",
  title: "%n tasks in a queue",
  tasks: 100_000,
  contenders: [ours, bee, peer],
  measure: async (contender, setting) => {
    const { tasks } = setting;
    const redis = await connect(setting.url);
    const producer = await contender.produce(setting);
    // Connections, scripts and the queue's own keys exist before the first reading.
    const few = sized(1000, setting);
    await producer.sendBulk(0, few, 1000);
    const before = await memoryOf(redis);
    await producer.sendBulk(few, few + tasks, 1000);
    const waitingBytes = ((await memoryOf(redis)) - before) / tasks;
    const waiting = await contender.queue.waiting(redis);
    if (waiting !== few + tasks) throw new Error(`${waiting} tasks in the queue instead of ${few + tasks}`);
    await producer.close();
    redis.disconnect();
    return { waitingBytes };
  },
};
