import type { Delivery } from "@bullrush/broker";

export interface AdmissionOptions {
  /** Whether a delivery may take down the process in which it runs. */
  readonly isRisky: (delivery: Delivery) => boolean;
  /** Whether a task whose slot is lent waits for it. */
  readonly isAwaited: (delivery: Delivery) => boolean;
  /** Begins to run a delivery. */
  readonly start: (delivery: Delivery) => void;
}

/**
 * Lets deliveries begin: a risky one alone, when all others are settled, so that a killer takes neither a neighbour nor its result along; the others once it
 * has ended.
 */
export class Admission {
  readonly #options: AdmissionOptions;
  /** Those that have begun and are not settled. */
  readonly #inside = new Set<Delivery>();
  /** Those that have begun and wait for others, which have their slots. */
  readonly #lent = new Set<Delivery>();
  readonly #waiting: Delivery[] = [];
  /** The risky one that runs. */
  #alone: Delivery | undefined;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** Whether nothing more should be taken: what came would have to wait. */
  get closed(): boolean {
    return this.#alone !== undefined || this.#waiting.length > 0;
  }

  /** Those that have not begun. */
  get waiting(): readonly Delivery[] {
    return this.#waiting;
  }

  enter(delivery: Delivery): void {
    this.#waiting.push(delivery);
    this.#admit();
  }

  /** It runs no more. */
  ended(delivery: Delivery): void {
    if (this.#alone === delivery) this.#alone = undefined;
    this.#admit();
  }

  /** Its slot is lent: if it waits for a risky one, it is not to keep that one from running. One that ran alone does no more. */
  lend(delivery: Delivery): void {
    this.#inside.delete(delivery);
    this.#lent.add(delivery);
    this.ended(delivery);
  }

  /** It has its slot again. */
  regain(delivery: Delivery): void {
    this.#lent.delete(delivery);
    this.#inside.add(delivery);
  }

  /** It is settled, or somebody else's; begun or not. */
  leave(delivery: Delivery): void {
    const index = this.#waiting.indexOf(delivery);
    if (index >= 0) this.#waiting.splice(index, 1);
    this.#inside.delete(delivery);
    this.#lent.delete(delivery);
    this.ended(delivery);
  }

  /** Takes out, and gives, those that have not begun. */
  withdraw(): readonly Delivery[] {
    return this.#waiting.splice(0);
  }

  #admit(): void {
    const { isRisky, isAwaited, start } = this.#options;
    for (let next = this.#waiting[0]; next !== undefined && this.#alone === undefined; next = this.#waiting[0]) {
      const risky = isRisky(next);
      if (risky && (this.#inside.size > 0 || (this.#lent.size > 0 && !isAwaited(next)))) return;
      this.#waiting.shift();
      this.#inside.add(next);
      if (risky) this.#alone = next;
      start(next);
    }
  }
}
