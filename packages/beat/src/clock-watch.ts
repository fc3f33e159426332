import type { Clock } from "@bullrush/broker";
import type { Logger } from "pino";

/** By how many ms the clocks of this machine and of the server may differ without a word. */
const tolerance = 2000;

/** An answer that took longer than this, in ms, says too little. */
const slowest = 1000;

/**
 * Says once when this machine's clock begins to differ from the server's, and once when it no longer does. Beat goes by the server's; what
 * the workers do with times may not.
 */
export class ClockWatch {
  readonly #clock: Clock;
  readonly #log: Logger;
  #differs = false;

  constructor(clock: Clock, log: Logger) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Hears what time it was at the server, ms since the epoch, in the middle of the `took` ms that the answer took. */
  heard(now: number, took: number): void {
    if (took > slowest) return;
    const ahead = this.#clock.now() - took / 2 - now;
    const differs = Math.abs(ahead) > tolerance;
    if (differs && !this.#differs)
      this.#log.warn({ seconds: ahead / 1000 }, "the clock of this machine differs from the server's, which counts");
    if (!differs && this.#differs) this.#log.info({ seconds: ahead / 1000 }, "the clock of this machine agrees with the server's again");
    this.#differs = differs;
  }
}
