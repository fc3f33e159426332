import type { Clock, Timing } from "@bullrush/broker";

interface Timer {
  readonly at: number;
  readonly ring: () => void;
  /** Never fires; says whether the timer was cleared. */
  readonly handle: NodeJS.Timeout;
}

/** Time that passes when told to, and between two readings of its clock by `ticks`, in turn, until it is frozen. */
export class ModelTime {
  /** In ms. */
  value = 1000;
  readonly #ticks: readonly number[];
  readonly #timers = new Set<Timer>();
  #readings = 0;
  #frozen = false;

  constructor(ticks: readonly number[]) {
    this.#ticks = ticks;
  }

  readonly clock: Clock = {
    now: () => {
      const now = this.value;
      if (!this.#frozen) this.value += this.#ticks[this.#readings++ % this.#ticks.length] ?? 0;
      return now;
    },
  };

  readonly timing: Pick<Timing, "setTimer"> = {
    setTimer: (ring, delay) => {
      const handle = setTimeout(() => undefined, 2 ** 31 - 1);
      this.#timers.add({ at: this.value + delay, ring, handle });
      return handle;
    },
  };

  freeze(): void {
    this.#frozen = true;
  }

  /** The timers that should have fired by now. */
  due(): readonly (() => void)[] {
    return this.#pending()
      .filter(({ at }) => at <= this.value)
      .map((timer) => () => {
        this.#timers.delete(timer);
        clearTimeout(timer.handle);
        timer.ring();
      });
  }

  /** Clears all timers. */
  end(): void {
    for (const { handle } of this.#timers) clearTimeout(handle);
    this.#timers.clear();
  }

  #pending(): readonly Timer[] {
    // What was cleared keeps nothing alive.
    for (const timer of this.#timers) if (!timer.handle.hasRef()) this.#timers.delete(timer);
    return [...this.#timers];
  }
}
