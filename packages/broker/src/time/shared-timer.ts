import { steadyClock } from "./clock.js";

/** A source of time and timers, so that tests can count them. */
export interface Timing {
  /** In ms; does not have to count from the epoch. */
  now(): number;
  /** Calls `ring` once, in `delay` ms. */
  setTimer(ring: () => void, delay: number): NodeJS.Timeout;
}

export const systemTiming: Timing = { ...steadyClock, setTimer: (ring, delay) => setTimeout(ring, delay) };

/**
 * Longest delay of a timer, in ms: nearly 25 days. Node fires a timer with a longer delay at once.
 */
export const maxTimerDelay = 2 ** 31 - 1;

/**
 * One timer for many times that mostly pass unused. It is set for the earliest time and stays when
 * that one is no longer needed, so setting it for a later time costs nothing. An owner whose timer
 * fires before anything is due sets it again.
 */
export class SharedTimer {
  readonly #onRing: () => void;
  readonly #timing: Timing;
  #timer: NodeJS.Timeout | undefined;
  #at = Infinity;

  constructor(onRing: () => void, timing: Timing = systemTiming) {
    this.#onRing = onRing;
    this.#timing = timing;
  }

  /** Fires no later than `at`; until then the process stays alive. `Infinity` never fires. */
  set(at: number): void {
    if (at < this.#at) this.#reset(at);
    else if (at !== Infinity) this.#timer?.ref();
  }

  /** Lets the process end: nothing is due. */
  rest(): void {
    this.#timer?.unref();
  }

  #reset(at: number): void {
    clearTimeout(this.#timer);
    this.#at = at;
    const delay = Math.ceil(Math.max(0, at - this.#timing.now()));
    this.#timer = this.#timing.setTimer(() => this.#ring(), Math.min(delay, maxTimerDelay));
  }

  #ring(): void {
    this.#timer = undefined;
    this.#at = Infinity;
    this.#onRing();
  }
}
