import type { RunningFlow } from "./running-flow.js";

/** The flows of a space that have not ended, by their ids. */
export class FlowTable {
  readonly #flows = new Map<string, RunningFlow>();

  find(id: string): RunningFlow | undefined {
    return this.#flows.get(id);
  }

  add(flow: RunningFlow): void {
    this.#flows.set(flow.id, flow);
  }

  delete(flow: RunningFlow): void {
    this.#flows.delete(flow.id);
  }

  /** Those that have made no progress since `time`, in ms since the epoch. */
  stale(time: number): readonly RunningFlow[] {
    return [...this.#flows.values()].filter(({ movedAt }) => movedAt <= time);
  }
}
