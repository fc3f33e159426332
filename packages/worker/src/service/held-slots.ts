import type { Clock, Delivery, QueueCounts } from "@bullrush/broker";
import type { Logger } from "pino";
import type { PoolName } from "../pool/options.js";
import { every, type Service } from "./service.js";

/** What has the slots of a worker. */
export interface SlotUse {
  /** Whether none is free. */
  readonly isFull: boolean;
  /** When a task last got one, ms since the epoch. */
  readonly since: number;
  /** The tasks that have one. */
  readonly holders: readonly { readonly delivery: Delivery; readonly startedAt: number }[];
}

export interface HeldSlotsOptions {
  readonly slots: () => SlotUse;
  /** How many messages the worker's queues hold. */
  readonly counts: () => Promise<readonly Pick<QueueCounts, "waiting">[]>;
  readonly pool: PoolName;
  readonly clock: Clock;
  readonly log: Logger;
  /** How long all slots may be held before it is worth a line, in ms. Default: 30 s. */
  readonly patience?: number;
}

/** Longest pause between two lines, in ms, and how many tasks one names. */
const most = { pause: 600_000, tasks: 10 };

/**
 * Warns when all slots have been held, and none was freed, for a while and messages wait: tasks that never end look like a worker that does nothing. The pause between two
 * lines doubles. The broker is asked only when the slots are held.
 */
export function heldSlots({ slots, counts, pool, clock, log, patience = 30_000 }: HeldSlotsOptions): Service {
  /** The time since which the slots of the last line were held, when the next may come, and how long after it the one behind that. */
  let last = { since: -1, at: 0, pause: patience };
  let looking = false;

  async function look(stopped: AbortSignal): Promise<void> {
    const use = slots();
    const now = clock.now();
    if (looking || !use.isFull || now - use.since < patience) return;
    if (use.since !== last.since) last = { since: use.since, at: now, pause: patience };
    if (now < last.at) return;
    looking = true;
    try {
      const waiting = (await counts()).reduce((sum, queue) => sum + queue.waiting, 0);
      if (waiting === 0 || stopped.aborted || slots().since !== use.since || !slots().isFull) return;
      last = { ...last, at: now + last.pause, pause: Math.min(last.pause * 2, most.pause) };
      warn(use, waiting, now);
    } catch {
      // Others say that the broker cannot be reached.
    } finally {
      looking = false;
    }
  }

  function warn({ holders, since }: SlotUse, waiting: number, now: number): void {
    const oldest = holders.toSorted((a, b) => a.startedAt - b.startedAt).slice(0, most.tasks);
    const tasks = oldest.map(({ delivery: { id, content }, startedAt }) => ({
      ...(content.type !== "undecodable" && { task: content.message.task }),
      id,
      ms: now - startedAt,
    }));
    const facts = { slots: holders.length, ms: now - since, waiting, tasks };
    log.warn(facts, `no slot was freed for a while, and messages wait: ${advice[pool]}`);
  }

  return every(patience / 6, (stopped) => void look(stopped));
}

const limits = "give tasks a time limit (--time-limit), or the worker more slots (-c)";

const advice = {
  inline: `does one of these tasks await a promise that never settles? ${limits}; in the pool processes (-P) a limit kills what it ends`,
  threads: `does one of these tasks never end? ${limits}`,
  processes: `does one of these tasks never end? ${limits}`,
};
