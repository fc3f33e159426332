import type { Clock } from "../clock.js";
import type { Timing } from "../shared-timer.js";

/** The time of a space. Where it comes from can be changed while the space is in use. */
export class SpaceTime implements Clock {
  #clock: Clock;
  #timing: Pick<Timing, "setTimer">;

  constructor(clock: Clock, timing: Pick<Timing, "setTimer">) {
    this.#clock = clock;
    this.#timing = timing;
  }

  now(): number {
    return this.#clock.now();
  }

  setTimer(ring: () => void, delay: number): NodeJS.Timeout {
    return this.#timing.setTimer(ring, delay);
  }

  /**
   * Takes the time from elsewhere from now on. Timers that were set before fire as they were set.
   */
  use(clock: Clock, timing: Pick<Timing, "setTimer">): void {
    this.#clock = clock;
    this.#timing = timing;
  }
}
