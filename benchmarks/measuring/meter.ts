import type { Redis } from "ioredis";
import type { Contender } from "../contenders/contender.js";
import { now } from "./clock.js";
import type { Sample } from "./metric.js";
import { cpuOf } from "./redis.js";

/** Time and CPU, of this process and of Redis, from its start to its reading. */
export interface Meter {
  /** What `tasks` tasks took. */
  read(tasks: number): Promise<Sample & { readonly rate: number }>;
}

export async function startMeter(redis: Redis, { outside = false }: Contender): Promise<Meter> {
  const redisCpu = await cpuOf(redis);
  const cpu = process.cpuUsage();
  const startedAt = now();
  return {
    read: async (tasks) => {
      const took = now() - startedAt;
      const { user, system } = process.cpuUsage(cpu);
      return {
        rate: (tasks / took) * 1000,
        ...(!outside && { nodeCpu: (user + system) / tasks }),
        redisCpu: ((await cpuOf(redis)) - redisCpu) / tasks,
      };
    },
  };
}
