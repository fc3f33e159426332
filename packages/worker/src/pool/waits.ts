import type { Logger } from "pino";
import type { Execution } from "../execution/execution.js";

/** Warns, once for each task, of those that wait for others in a pool of runners. What is returned hears of each wait. */
export function warnOfWaits(pool: string, log: Logger): (execution: Execution) => void {
  const warned = new Set<string>();
  return ({ message: { task, id } }) => {
    if (warned.has(task)) return;
    warned.add(task);
    log.warn(
      { task, id },
      `a task waits for others and keeps its slot, as in the pool ${pool}: when all slots wait, nothing runs any more; let it end with this.replace(), or send a chain`,
    );
  };
}
