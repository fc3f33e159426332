/** Does the loop's work at most once in each turn of the event loop, and hands out turns to what wants to begin. */
export class Turns {
  readonly #work: () => void;
  readonly #waiting: (() => void)[] = [];
  #scheduled = false;

  /** @param work must not throw */
  constructor(work: () => void) {
    this.#work = work;
  }

  /** Whether the work is done again in this turn of the event loop. */
  get scheduled(): boolean {
    return this.#scheduled;
  }

  /** Does the work soon, once for all that happens in this turn of the event loop. */
  schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#work();
      this.#waiting.shift()?.();
      if (this.#waiting.length > 0) this.schedule();
    });
  }

  /**
   * Resolves when what a call brought may begin: `undefined`, at once, unless something else happened in this turn of the event loop. Redis answers several
   * calls at a time; if all began together, all would be settled together, and Redis would have nothing to do meanwhile.
   */
  next(): Promise<void> | undefined {
    if (!this.#scheduled) return undefined;
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
