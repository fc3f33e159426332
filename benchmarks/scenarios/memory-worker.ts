import { existsSync } from "node:fs";
import { bee, ours, peer } from "../contenders/roster.js";
import { untilNone } from "../measuring/draining.js";
import { connect } from "../measuring/redis.js";
import { residentMemory } from "../measuring/resident.js";
import type { Scenario } from "../measuring/scenario.js";

/** The memory of a worker's process, before and after its work. On Linux only. */
export const memoryWorker: Scenario = {
  name: "memory-worker",
  title: "memory of a worker with 100 slots, before and after %n tasks",
  tasks: 50_000,
  contenders: [ours, bee, peer],
  work: (contender, setting) => contender.consume(setting, { concurrency: 100 }),
  measure: async (contender, setting) => {
    const { tasks, worker } = setting;
    if (!existsSync("/proc/self/status") || worker === undefined) return {};
    const redis = await connect(setting.url);
    const idleMemory = await residentMemory(worker);
    const producer = await contender.produce(setting);
    await producer.sendBulk(0, tasks, 1000);
    await untilNone(() => contender.queue.unfinished(redis, tasks));
    const usedMemory = await residentMemory(worker);
    const failed = await contender.queue.failed(redis);
    if (failed > 0) throw new Error(`${failed} tasks failed`);
    await producer.close();
    redis.disconnect();
    return { idleMemory, usedMemory };
  },
};
