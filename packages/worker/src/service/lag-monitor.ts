import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Logger } from "pino";
import { every, type Service } from "./service.js";

/** Warns when a task keeps the event loop for longer than a quarter of a lease: no lease is renewed meanwhile, and after a whole one others run the tasks as well. */
export function lagMonitor({ lease, log }: { readonly lease: number; readonly log: Logger }): Service {
  const delay = monitorEventLoopDelay({ resolution: 20 });
  const looks = every(1000, () => {
    const longest = delay.max / 1e6;
    delay.reset();
    if (longest > lease / 4)
      log.warn({ ms: Math.round(longest), lease }, "the event loop was blocked: a task computes for too long, and leases may be lost");
  });
  return {
    start: () => {
      delay.enable();
      looks.start();
    },
    stop: () => {
      looks.stop();
      delay.disable();
    },
  };
}
