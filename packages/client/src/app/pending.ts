import { encodeRecord, systemTiming, type Results, type StoreRequest, type Timing } from "@bullrush/broker";
import { beginning } from "../canvas/compile.js";
import type { Plan } from "../canvas/plan.js";

/** How long a task is PENDING at the longest whose turn is still to come, in ms: 30 days. */
const pendingExpires = 30 * 24 * 60 * 60 * 1000;

/** Records that are stored in one call. */
const recordsAtOnce = 1000;

/** How often, and after which time, in ms, it is tried again to store what could not be stored: for a minute. */
const further = { tries: 60, interval: 1000 };

/** Has those be PENDING whose handles are given out and whose turn is still to come. */
export class PendingRecords {
  readonly #timing: Timing;
  readonly #timers = new Set<NodeJS.Timeout>();
  #closed = false;

  constructor(timing: Timing = systemTiming) {
    this.#timing = timing;
  }

  /**
   * Stores those of a flow that runs by now. Never rejects: what cannot be stored now is stored later, unless it cannot for a minute; that
   * keeps no process alive.
   */
  async keep(plan: Plan, results: Results): Promise<void> {
    await this.#store(requestsOf(plan), results, further.tries);
  }

  /** Gives up what could not be stored so far. */
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

/** A record that comes late takes the place of none that has been stored meanwhile. */
function requestsOf(plan: Plan): readonly StoreRequest[] {
  const atOnce = beginning(plan);
  return plan.calls.flatMap((planned, call) => {
    const { id, node, queue, hasHandle } = planned;
    if (!hasHandle || atOnce.has(planned)) return [];
    const record = encodeRecord({ state: "PENDING", delivery: 0, task: node.task, queue, flow: plan.id, call });
    return [{ id, delivery: 0, expires: pendingExpires, record }];
  });
}
