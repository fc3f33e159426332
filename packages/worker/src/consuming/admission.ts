import type { Delivery } from "@bullrush/broker";
import type { DeliveryTable } from "./delivery-table.js";
import type { TrackedDelivery } from "./tracked-delivery.js";

export interface AdmissionOptions {
  readonly table: Pick<DeliveryTable, "begun" | "lent" | "waiting">;
  /** Whether a delivery may take down the process in which it runs. */
  readonly isRisky: (delivery: Delivery) => boolean;
  /** Whether a task whose slot is lent waits for a delivery. */
  readonly isAwaited: (delivery: Delivery) => boolean;
  /** Runs a delivery, which is `running` when this returns. */
  readonly start: (tracked: TrackedDelivery) => void;
}

/**
 * Lets deliveries begin: a risky one alone, when all others are settled, so that a killer takes neither a neighbour nor its result along; the others once it
 * has ended.
 */
export class Admission {
  readonly #options: AdmissionOptions;
  /** Those that wait, in their order, and some that have left it: they are skipped. */
  readonly #line: TrackedDelivery[] = [];
  /** The risky one that runs. */
  #alone: TrackedDelivery | undefined;

  constructor(options: AdmissionOptions) {
    this.#options = options;
  }

  /** Whether nothing more should be taken: what came would have to wait. */
  get closed(): boolean {
    return this.#alone !== undefined || this.#options.table.waiting > 0;
  }

  /** Lets it begin, or wait until it may. */
  enter(tracked: TrackedDelivery): void {
    tracked.to("waiting");
    this.#line.push(tracked);
    this.#admit();
  }

  /** It runs no more, is settled, or has lent its slot: a risky one that waits may begin, and those behind one that was alone. */
  freed(delivery: Delivery): void {
    if (this.#alone?.delivery === delivery) this.#alone = undefined;
    this.#admit();
  }

  /** Takes out, and returns, those that have not begun: none of them begins any more. */
  withdraw(): readonly TrackedDelivery[] {
    return this.#line.splice(0).filter(({ state }) => state === "waiting");
  }

  #admit(): void {
    if (this.#line.length === 0) return;
    const { isRisky, start } = this.#options;
    for (let next = this.#next(); next !== undefined && this.#alone === undefined; next = this.#next()) {
      const risky = isRisky(next.delivery);
      if (risky && !this.#mayRunAlone(next)) return;
      this.#line.shift();
      if (risky) this.#alone = next;
      start(next);
    }
  }

  #next(): TrackedDelivery | undefined {
    while (this.#line[0] !== undefined && this.#line[0].state !== "waiting") this.#line.shift();
    return this.#line[0];
  }

  /** A task that waits for it with its slot lent is not to keep it from running. */
  #mayRunAlone({ delivery }: TrackedDelivery): boolean {
    const { table, isAwaited } = this.#options;
    if (table.begun > table.lent) return false;
    return table.lent === 0 || isAwaited(delivery);
  }
}
