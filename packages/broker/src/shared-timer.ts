import { steadyClock } from "./clock.js";

/** Where an alarm gets time and timers from, so that tests can count them. */
export interface Timing {
  /** In ms; need not count from the epoch. */
  now(): number;
  /** Calls `ring` once, in `delay` ms. */
  setTimer(ring: () => void, delay: number): NodeJS.Timeout;
}

export const systemTiming: Timing = { ...steadyClock, setTimer: (ring, delay) => setTimeout(ring, delay) };

/** Longest time that a timer can be set for, in ms: nearly 25 days. Node fires one that is set for longer at once. */
export const longestTimer = 2 ** 31 - 1;

/**
 * One timer for many times that mostly pass unused. It is set for the earliest and left as it is when that one is no longer needed,
 * so that setting it for a later time costs nothing; whoever hears it ring before anything is due sets it again.
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

  /** Rings at `at`, or before; until then the process stays alive. Never for `Infinity`. */
  set(at: number): void {
    if (at < this.#at) this.#reset(at);
    else if (at !== Infinity) this.#timer?.ref();
  }

  /** Nothing is waited for now: the process may end. */
  rest(): void {
    this.#timer?.unref();
  }

  #reset(at: number): void {
    clearTimeout(this.#timer);
    this.#at = at;
    const delay = Math.ceil(Math.max(0, at - this.#timing.now()));
    this.#timer = this.#timing.setTimer(() => this.#ring(), Math.min(delay, longestTimer));
  }

  #ring(): void {
    this.#timer = undefined;
    this.#at = Infinity;
    this.#onRing();
  }
}
