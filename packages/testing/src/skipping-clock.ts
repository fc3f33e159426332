import { systemTiming, type EngineClock } from "@bullrush/broker";

/** The system's time, which can be moved on. Timers are the system's. */
export class SkippingClock implements EngineClock {
  #ahead = 0;

  now(): number {
    return Date.now() + this.#ahead;
  }

  setTimer(ring: () => void, delay: number): NodeJS.Timeout {
    return systemTiming.setTimer(ring, delay);
  }

  /** Moves it on to `time`, in ms since the epoch; never back. */
  skipTo(time: number): void {
    this.#ahead += Math.max(0, time - this.now());
  }
}
