import type { Clock } from "../time/clock.js";
import { toMilliseconds, type Duration } from "../time/duration.js";
import { maxTimerDelay, type Timing } from "../time/shared-timer.js";

interface Alarm {
  readonly at: number;
  readonly ring: () => void;
}

/**
 * A clock that a test moves: it stands still between two moves, and its timers fire as it passes
 * them.
 */
export class MovableClock implements Clock, Timing {
  #now: number;
  readonly #alarms = new Map<NodeJS.Timeout, Alarm>();

  /** @param now the time at first, in ms since the epoch; default: the system's */
  constructor(now = Date.now()) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  /**
   * Clearing the timer that this returns has no effect: it fires all the same. It
   * keeps no process alive.
   */
  setTimer(ring: () => void, delay: number): NodeJS.Timeout {
    const timer = setTimeout(() => {}, maxTimerDelay).unref();
    clearTimeout(timer);
    this.#alarms.set(timer, { at: this.#now + delay, ring });
    return timer;
  }

  /**
   * Moves the clock on by `time`, in ms or as "1h", and fires each timer at its own time, in the
   * order of these times. Throws `INVALID_OPTION` for what is no length of time.
   */
  advance(time: Duration): void {
    const until = this.#now + toMilliseconds(time, "the time to advance by");
    for (let next = this.#nextBy(until); next !== undefined; next = this.#nextBy(until)) {
      const [timer, { at, ring }] = next;
      this.#alarms.delete(timer);
      this.#now = Math.max(this.#now, at);
      ring();
    }
    this.#now = until;
  }

  #nextBy(until: number): readonly [NodeJS.Timeout, Alarm] | undefined {
    let next: readonly [NodeJS.Timeout, Alarm] | undefined;
    for (const entry of this.#alarms) if (entry[1].at <= until && (next === undefined || entry[1].at < next[1].at)) next = entry;
    return next;
  }
}
