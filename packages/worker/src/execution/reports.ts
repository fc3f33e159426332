/** Shortest time between two stores of what a task says of itself in the same state, in ms. */
export const reportInterval = 100;

/** Stores one report. Never rejects. */
type Store = () => Promise<void>;

/**
 * What a task says of itself while it runs, stored as often as observers can use it: the first report and each with another state at once, of the
 * others the latest, when the interval is over.
 */
export class Reports {
  #state: string | undefined;
  /** When the last store began. */
  #at = -Infinity;
  #storing: Promise<void> | undefined;
  #next: Store | undefined;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;

  /** Resolves when it is stored; at once if it is only remembered, or comes after the end. */
  add(state: string, store: Store): Promise<void> {
    if (this.#ended) return Promise.resolve();
    const isNew = state !== this.#state;
    this.#state = state;
    if (isNew || this.#wait() === 0) return this.#store(store);
    this.#next = store;
    this.#arm();
    return Promise.resolve();
  }

  /** From now on nothing is stored any more. Resolves when what is being stored is. */
  end(): Promise<void> {
    this.#ended = true;
    this.#next = undefined;
    clearTimeout(this.#timer);
    return this.#storing ?? Promise.resolve();
  }

  /** How long the next store has to wait, in ms; for ever while there is one under way. */
  #wait(): number {
    return this.#storing === undefined ? Math.max(0, this.#at + reportInterval - performance.now()) : Infinity;
  }

  #store(store: Store): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#next = undefined;
    this.#at = performance.now();
    const storing = store().then(() => {
      if (this.#storing !== storing) return;
      this.#storing = undefined;
      this.#arm();
    });
    this.#storing = storing;
    return storing;
  }

  /** The timer also keeps a report that came last from being forgotten. */
  #arm(): void {
    const wait = this.#wait();
    if (this.#next === undefined || this.#timer !== undefined || wait === Infinity) return;
    this.#timer = setTimeout(() => void (this.#next && this.#store(this.#next)), wait);
  }
}
