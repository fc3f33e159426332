import type { Loans, Delivery, TakeWatch } from "@bullrush/broker";
import type { Logger } from "pino";
import { HeldRows } from "./held-rows.js";
import type { Watched } from "./messages.js";
import { processGuard } from "./process-guard.js";
import { latest, memoryOf, steadyNow, take } from "./shared.js";
import { takeSlots } from "./take-slots.js";

export interface LoopGuardOptions extends Omit<Watched, "loans" | "takes" | "latest"> {
  readonly queues: readonly string[];
  /** Whether the app has a task of this name. */
  readonly isTask: (name: string) => boolean;
  readonly log: Logger;
  readonly onTrouble: (reason: string) => void;
}

/**
 * What a worker tells the guard thread of its process, so that its leases are renewed, and its hard time limits hold, while a task blocks the event loop. All but `start` and `stop` are
 * on the path of every task, and write to shared memory only.
 */
export interface LoopGuard {
  /** Of its calls that take messages; for `Transport.consume`. */
  readonly takes: TakeWatch;
  /** Begins to watch the loans of a consumer. Resolves when the thread does. Never rejects: without a guard a worker works, and says what it lacks. */
  start(loans: Loans): Promise<void>;
  /** These are on loan here. To be called before the first of them begins. */
  hold(deliveries: readonly Delivery[]): void;
  /** The function of `delivery` begins, and has to end within `limit` ms. */
  limit(delivery: Delivery, limit: number): void;
  /** The function of `delivery` has ended. */
  unlimit(delivery: Delivery): void;
  /** The function of `delivery` begins; `isOnce`: and must not be called again. */
  begin(delivery: Delivery, isOnce: boolean): void;
  /** It is not on loan here any more. */
  release(delivery: Delivery): void;
  stop(): Promise<void>;
}

/** The guard of one worker. */
export function loopGuard({ queues, isTask, log, onTrouble, ...options }: LoopGuardOptions): LoopGuard {
  const takes = memoryOf(new SharedArrayBuffer(take.size * take.slots));
  const begunLast = memoryOf(new SharedArrayBuffer(latest.size));
  const indexes = new Map(queues.map((queue, index) => [queue, index]));
  const tasks = new Map<string, number>();
  const numbers = new Map<Delivery, number>();
  let leave: (() => Promise<void>) | undefined;
  let rows: HeldRows | undefined;
  let stopped = false;
  let addTask: (name: string) => void = () => {};

  /** Those that are not of this app, which anybody may send under any name, are all one. */
  function taskOf({ content }: Delivery): number {
    const name = content.type !== "undecodable" && isTask(content.message.task) ? content.message.task : "";
    const known = tasks.get(name);
    if (known !== undefined) return known;
    const index = tasks.size;
    tasks.set(name, index);
    addTask(name);
    return index;
  }

  async function start(kept: Loans): Promise<void> {
    try {
      const guard = processGuard();
      if (guard === undefined) return log.warn({}, "no guard thread, because its file is missing: a blocked event loop loses its leases");
      const joined = guard.join({ ...options, loans: kept.data, takes: takes.shared, latest: begunLast.shared }, onTrouble);
      const unwatch = kept.watch(joined.setLoans);
      leave = () => {
        unwatch();
        return joined.leave();
      };
      addTask = joined.addTask;
      rows = new HeldRows(joined.addRows);
      await joined.ready;
    } catch (error) {
      rows = undefined;
      if (stopped) return;
      const reason = error instanceof Error ? error.message : String(error);
      log.warn({ reason }, "no guard thread: a blocked event loop loses its leases");
    }
  }

  /** Does `write` with the row of `delivery`, if it has one. */
  function withRow(delivery: Delivery, write: (rows: HeldRows, number: number) => void): void {
    const number = numbers.get(delivery);
    if (rows !== undefined && number !== undefined) write(rows, number);
  }

  return {
    takes: takeSlots(takes),
    start,
    hold(deliveries) {
      if (rows === undefined || deliveries.length === 0) return;
      const heldAt = steadyNow();
      for (const delivery of deliveries) {
        const { id, token } = delivery;
        const number = rows.hold({ queue: indexes.get(delivery.queue) ?? 0, task: taskOf(delivery), id, token, heldAt });
        if (number >= 0) numbers.set(delivery, number);
      }
    },
    limit: (delivery, limit) => withRow(delivery, (rows, number) => rows.limit(number, steadyNow(), limit)),
    unlimit: (delivery) => withRow(delivery, (rows, number) => rows.unlimit(number)),
    begin(delivery, isOnce) {
      const number = numbers.get(delivery);
      if (rows === undefined || number === undefined) return;
      rows.begin(number, isOnce);
      begunLast.numbers[latest.row] = number;
      begunLast.times[latest.begunAt] = steadyNow();
    },
    release(delivery) {
      const number = numbers.get(delivery);
      if (number === undefined) return;
      numbers.delete(delivery);
      rows?.release(number);
    },
    stop: async () => {
      stopped = true;
      await leave?.();
    },
  };
}
