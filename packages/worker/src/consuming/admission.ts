import type { Delivery } from "@bullrush/broker";

export interface AdmissionOptions {
  /** Whether a delivery may take down the process in which it runs. */
  readonly isRisky: (delivery: Delivery) => boolean;
  /** Begins to run a delivery. */
  readonly start: (delivery: Delivery) => void;
}

/** Lets deliveries begin: a risky one alone, when all others have ended, and the others when it has, so that a killer takes no neighbour along. */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #inside = new Set<Delivery>();
  readonly #waiting: Delivery[] = [];
  #alone = false;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** Whether nothing more should be taken: what came would have to wait. */
  get closed(): boolean {
    return this.#alone || this.#waiting.length > 0;
  }

  /** Those that have not begun. */
  get waiting(): readonly Delivery[] {
    return this.#waiting;
  }

  enter(delivery: Delivery): void {
    this.#waiting.push(delivery);
    this.#admit();
  }

  /** It has ended, or is not to begin. */
  leave(delivery: Delivery): void {
    const index = this.#waiting.indexOf(delivery);
    if (index >= 0) this.#waiting.splice(index, 1);
    if (this.#inside.delete(delivery)) this.#alone = false;
    this.#admit();
  }

  #admit(): void {
    const { isRisky, start } = this.#options;
    for (let next = this.#waiting[0]; next !== undefined && !this.#alone; next = this.#waiting[0]) {
      const risky = isRisky(next);
      if (risky && this.#inside.size > 0) return;
      this.#waiting.shift();
      this.#inside.add(next);
      this.#alone = risky;
      start(next);
    }
  }
}
