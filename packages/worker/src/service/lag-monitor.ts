import type { Delivery } from "@bullrush/broker";
import type { Logger } from "pino";
import type { PoolName } from "../pool/options.js";
import { every, type Service } from "./service.js";

export interface LagMonitorOptions {
  /** In ms. */
  readonly lease: number;
  readonly pool: PoolName;
  /** What is on loan now. */
  readonly held: () => readonly Delivery[];
  /** Ms that only go forward. */
  readonly now: () => number;
  readonly log: Logger;
}

/**
 * Warns when the event loop stands still for longer than a quarter of a lease: nothing is taken or settled meanwhile, and only the guard renews leases. It looks at once when the loop goes on, before what was computed is settled: inline, one of the tasks
 * that it names is the cause.
 */
export function lagMonitor({ lease, pool, held, now, log }: LagMonitorOptions): Service {
  const interval = lease / 16;
  let last = now();

  function look(): void {
    // Read once: what passes between two readings would belong to neither look.
    const at = now();
    const stood = at - last - interval;
    last = at;
    if (stood <= lease / 4) return;
    const facts = { ms: Math.round(stood), lease, tasks: [...new Set(held().flatMap(taskOf))] };
    log.warn(facts, `the event loop stood still: ${pool === "inline" ? causes.inline : causes.runners}`);
  }

  const looks = every(interval, look);
  return {
    start: () => {
      last = now();
      looks.start();
    },
    stop: () => looks.stop(),
  };
}

const causes = {
  inline: "one of these tasks computes for too long; threads or processes (-P) are for such tasks",
  runners: "its tasks run elsewhere, so the machine is overloaded, or was asleep",
};

function taskOf({ content }: Delivery): readonly string[] {
  return content.type === "undecodable" ? [] : [content.message.task];
}
