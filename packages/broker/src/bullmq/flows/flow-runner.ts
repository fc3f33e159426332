import type { ResultStore } from "../result-store.js";
import { recordsOf, wordsFor } from "./doomed.js";
import type { FlowStore } from "./flow-store.js";

/** Does what is left to do in flows: sends their backlogs, and lets fail what is doomed. */
export class FlowRunner {
  readonly #flows: FlowStore;
  readonly #results: ResultStore;
  readonly #running = new Set<Promise<unknown>>();

  constructor(flows: FlowStore, results: ResultStore) {
    this.#flows = flows;
    this.#results = results;
  }

  /** Begins to carry on with `flows`. What fails is left to whoever mends. */
  begin(flows: readonly string[]): void {
    if (flows.length === 0) return;
    const running = this.carryOn(flows).catch(() => undefined);
    this.#running.add(running);
    void running.then(() => this.#running.delete(running));
  }

  /** Resolves when nothing is left to do in `flows`, and in those in which something follows upon that. Whoever else does it at the same time does no harm. */
  async carryOn(flows: readonly string[]): Promise<void> {
    const waiting = new Set(flows);
    for (const flow of waiting) {
      await this.#flows.sendBacklog(flow);
      for (const behind of await this.#letFail(flow)) {
        waiting.delete(behind);
        waiting.add(behind);
      }
    }
  }

  /** Resolves when all that was begun has ended. */
  async ended(): Promise<void> {
    await Promise.all(this.#running);
  }

  /** Lets a batch of what is doomed fail. Resolves with the flows that have something left to do. */
  async #letFail(flow: string): Promise<readonly string[]> {
    const batch = await this.#flows.doomed(flow);
    if (batch === undefined) return [];
    await this.#results.store(recordsOf(batch, Date.now()));
    return this.#flows.doom(flow, batch, wordsFor(batch));
  }
}
