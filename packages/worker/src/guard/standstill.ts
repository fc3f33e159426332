/** How long the event loop of a process has stood still, found out by looking at its pulse now and then. */
export class Standstill {
  readonly #interval: () => number;
  #beats: number | undefined;
  #lookedAt: number | undefined;
  #stood = 0;

  /** @param interval time between two looks, in ms */
  constructor(interval: () => number) {
    this.#interval = interval;
  }

  /** Looks at the counter `beats` at the time `now`, in ms, and gives for how long it has not moved. A stop of the whole process, or a sleep of the machine, counts as little more than one interval. */
  look(beats: number, now: number): number {
    const passed = Math.min(now - (this.#lookedAt ?? now), 1.5 * this.#interval());
    this.#lookedAt = now;
    this.#stood = beats === this.#beats ? this.#stood + passed : 0;
    this.#beats = beats;
    return this.#stood;
  }
}
