import type { Contender } from "../contenders/contender.js";
import { now } from "./clock.js";
import type { Sample } from "./metric.js";
import { connect, cpuOf } from "./redis.js";
import type { Setting } from "./setting.js";

/** Measures time and CPU, of this process and of both servers, from its creation to its reading. */
export interface Meter {
  /** The figures for `tasks` tasks. Call it once. */
  read(tasks: number): Promise<Sample & { readonly rate: number }>;
}

export async function startMeter({ url, otherUrl }: Setting, { outside = false }: Contender): Promise<Meter> {
  const servers = await Promise.all([url, otherUrl].map(connect));
  const usedCpu = async () => (await Promise.all(servers.map(cpuOf))).reduce((sum, used) => sum + used, 0);
  const redisCpu = await usedCpu();
  const cpu = process.cpuUsage();
  const startedAt = now();
  return {
    read: async (tasks) => {
      const took = now() - startedAt;
      const { user, system } = process.cpuUsage(cpu);
      const redisCpuNow = await usedCpu();
      for (const server of servers) server.disconnect();
      return {
        rate: (tasks / took) * 1000,
        ...(!outside && { nodeCpu: (user + system) / tasks }),
        redisCpu: (redisCpuNow - redisCpu) / tasks,
      };
    },
  };
}
