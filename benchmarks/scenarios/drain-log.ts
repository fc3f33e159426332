import { readFile } from "node:fs/promises";
import { ours, oursToFile, oursToNull, peer, peerToFile, peerToNull } from "../contenders/roster.js";
import { fill, measureDrain } from "../measuring/draining.js";
import type { Scenario } from "../measuring/scenario.js";

/** The cost of a worker's log lines. */
export const drainLog: Scenario = {
  name: "drain-log",
  title: "%n waiting tasks, 100 slots, with a log (two lines a task, by pino) and without",
  tasks: 50_000,
  contenders: [ours, oursToNull, oursToFile, peerToNull, peerToFile, peer],
  prepare: fill,
  measure: async (contender, setting) => {
    const sample = await measureDrain(contender, setting, 100);
    if (contender.logFile !== undefined) {
      const lines = (await readFile(contender.logFile(setting), "utf8")).match(/"succeeded"/g)?.length;
      if (lines !== setting.tasks) throw new Error(`${lines ?? 0} lines about ${setting.tasks} tasks`);
    }
    return sample;
  },
};
