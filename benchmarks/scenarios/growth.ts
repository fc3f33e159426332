import { ours, peer } from "../contenders/roster.js";
import { untilNone } from "../measuring/draining.js";
import { startMeter } from "../measuring/meter.js";
import { connect } from "../measuring/redis.js";
import type { Scenario } from "../measuring/scenario.js";
import { sized } from "../measuring/setting.js";

/** The cost of sending and taking when `backlog` tasks already wait. */
export function growth(label: string, backlog: number): Scenario {
  return {
    name: `growth-${label}`,
    title: `%n tasks sent 1,000 at a time, then as many done with 100 slots, while ${backlog.toLocaleString("en-US")} others wait`,
    tasks: 20_000,
    contenders: [ours, peer],

    prepare: async (contender, setting) => {
      const producer = await contender.produce(setting);
      const sent = await producer.sendBulk(0, sized(backlog, setting), 1000);
      await producer.close();
      return sent;
    },

    measure: async (contender, setting) => {
      const { tasks } = setting;
      const redis = await connect(setting.url);
      const waiting = sized(backlog, setting);
      const producer = await contender.produce(setting);
      const sending = await startMeter(setting, contender);
      await producer.send(waiting, waiting + tasks, 1000);
      const { rate: sendRate } = await sending.read(tasks);
      await producer.close();
      const there = await contender.queue.waiting(redis);
      if (there !== waiting + tasks) throw new Error(`${there} tasks in the queue instead of ${waiting + tasks}`);

      await contender.load();
      let ran = 0;
      const draining = await startMeter(setting, contender);
      const stop = await contender.consume(setting, { concurrency: 100, onRun: () => (ran += 1) });
      await untilNone(async () => Math.max(0, tasks - ran));
      const { rate: drainRate, ...cpu } = await draining.read(ran);
      const failed = await contender.queue.failed(redis);
      if (failed > 0) throw new Error(`${failed} tasks failed`);
      redis.disconnect();
      await stop();
      return { sendRate, drainRate, ...cpu };
    },
  };
}
