import { now } from "./clock.js";
import type { Sample } from "./metric.js";

/** Time and CPU of this process from its start to its reading. */
export interface Meter {
  /** What `tasks` tasks took. */
  read(tasks: number): Required<Pick<Sample, "rate" | "nodeCpu">>;
}

export function startMeter(): Meter {
  const startedAt = now();
  const cpu = process.cpuUsage();
  return {
    read: (tasks) => {
      const took = now() - startedAt;
      const { user, system } = process.cpuUsage(cpu);
      return { rate: (tasks / took) * 1000, nodeCpu: (user + system) / tasks };
    },
  };
}
