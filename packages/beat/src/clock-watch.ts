import type { Clock } from "@bullrush/broker";
import type { Logger } from "pino";

/** Maximum difference between this machine's clock and the server's without a warning, in ms. */
const tolerance = 2000;

/** Maximum round trip of a sample, in ms. A slower sample is too imprecise to compare clocks. */
const slowest = 1000;

/**
 * Warns once when this machine's clock begins to differ from the server's, and logs once when it no
 * longer does. Beat uses the server's clock; the workers' code may use this machine's.
 */
export class ClockWatch {
  readonly #clock: Clock;
  readonly #log: Logger;
  #differs = false;

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  /**
   * Takes a sample: the server's time was `now`, in ms since the epoch, in the middle of a round
   * trip of `took` ms.
   */
  compare(now: number, took: number): void {
    if (took > slowest) return;
    const ahead = this.#clock.now() - took / 2 - now;
    const differs = Math.abs(ahead) > tolerance;
    if (differs && !this.#differs)
      this.#log.warn({ seconds: ahead / 1000 }, "the clock of this machine differs from the server's, which counts");
    if (!differs && this.#differs) this.#log.info({ seconds: ahead / 1000 }, "the clock of this machine agrees with the server's again");
    this.#differs = differs;
  }
}
