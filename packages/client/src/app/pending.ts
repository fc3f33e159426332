import { encodeRecord, systemTiming, type Results, type StoreRequest, type Timing } from "@bullrush/broker";
import { beginning } from "../canvas/compile.js";
import type { Plan } from "../canvas/plan.js";

/** Maximum time for which a task whose turn in its flow has not come is PENDING, in ms: 30 days. */
const pendingExpires = 30 * 24 * 60 * 60 * 1000;

/** Maximum number of records that one call stores. */
const recordsAtOnce = 1000;

/** How often storing is tried again, and after which time, in ms: for a minute in all. */
const further = { tries: 60, interval: 1000 };

/** Stores PENDING for the tasks of a flow that have a handle and whose turn has not come. */
export class PendingRecords {
  readonly #timing: Timing;
  readonly #timers = new Set<NodeJS.Timeout>();
  #closed = false;

  constructor(timing: Timing = systemTiming) {
    this.#timing = timing;
  }

  /**
   * Stores the records of a flow that has begun. Never rejects. If storing fails, it tries again
   * for a minute, without keeping the process alive.
   */
  async keep(plan: Plan, results: Results): Promise<void> {
    await this.#store(requestsOf(plan), results, further.tries);
  }

  /** Gives up the records that could not be stored so far. */
  close(): void {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  async #store(requests: readonly StoreRequest[], results: Results, tries: number): Promise<void> {
    let stored = 0;
    try {
      for (; stored < requests.length; stored += recordsAtOnce) await results.store(requests.slice(stored, stored + recordsAtOnce));
    } catch {
      if (tries === 0 || this.#closed) return;
      const again = () => {
        this.#timers.delete(timer);
        void this.#store(requests.slice(stored), results, tries - 1);
      };
      const timer = this.#timing.setTimer(again, further.interval).unref();
      this.#timers.add(timer);
    }
  }
}

/** A late record never replaces one that was stored meanwhile. */
function requestsOf(plan: Plan): readonly StoreRequest[] {
  const atOnce = beginning(plan);
  return plan.calls.flatMap((planned, call) => {
    const { id, node, queue, hasHandle } = planned;
    if (!hasHandle || atOnce.has(planned)) return [];
    const record = encodeRecord({ state: "PENDING", delivery: 0, task: node.task, queue, flow: plan.id, call });
    return [{ id, delivery: 0, expires: pendingExpires, record }];
  });
}
