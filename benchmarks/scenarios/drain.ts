import { ours, oursInOneDatabase, peer } from "../contenders/roster.js";
import { sendInLots } from "../measuring/load.js";
import { startMeter } from "../measuring/meter.js";
import type { Scenario } from "../measuring/scenario.js";
import { watchRedis } from "../measuring/watched-redis.js";

/** From the start of a worker until everything that waited is done, its result stored. */
export const drain: Scenario = {
  name: "drain",
  title: "%n waiting tasks that do nothing, one worker with 100 slots, results stored",
  tasks: 50_000,
  contenders: [ours, oursInOneDatabase, peer],

  prepare: async (contender, { url, tasks }) => {
    const producer = contender.produce(url);
    await sendInLots(producer, 0, tasks, 1000);
    await producer.close();
  },

  measure: async (contender, { url, tasks }) => {
    const redis = watchRedis(url);
    const cpu = await redis.cpu();
    const meter = startMeter();
    await new Promise<void>((resolve, reject) => {
      let ran = 0;
      const body = (sent: number) => {
        if (++ran === tasks) resolve();
        return sent;
      };
      contender.consume(url, 100, body).catch(reject);
    });
    await redis.drained(contender.queueKey);
    const reading = meter.read(tasks);
    const redisCpu = ((await redis.cpu()) - cpu) / tasks;
    const failed = await redis.failed(contender.queueKey);
    if (failed > 0) throw new Error(`${failed} tasks failed`);
    return { ...reading, redisCpu };
  },
};
