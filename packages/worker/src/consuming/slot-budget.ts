import type { DeliveryTable } from "./delivery-table.js";

/** In how many calls the slots can be filled, so that Redis works on one while this process works on another: more would only cost more calls. */
const shares = 2;

/** Most settlements and most messages in one call, so that none holds Redis for long. */
const maxBatch = 50;

export interface SlotBudgetOptions {
  readonly table: Pick<DeliveryTable, "slotsInUse" | "unsettled">;
  /** The slots, shared by all queues. */
  readonly concurrency: number;
  /** How many tasks could go on after a wait if a slot were free. */
  readonly slotsDue: () => number;
}

/** How many slots are free, and for how many messages a call asks. */
export class SlotBudget {
  readonly #options: SlotBudgetOptions;
  /** Most settlements and most messages in one call: a share of the slots, so that several calls can be under way. */
  readonly batch: number;
  #takes = 0;
  /** Slots that are kept for what the takes under way may bring. */
  #reserved = 0;
  /** Whether the last take got all that it asked for: only then is it worth asking several times at once. */
  #backlog = false;

  constructor(options: SlotBudgetOptions) {
    this.#options = options;
    this.batch = Math.min(maxBatch, Math.ceil(options.concurrency / shares));
  }

  /** How many calls that take are under way. */
  get takes(): number {
    return this.#takes;
  }

  /** Slots that nothing has and nothing is to be taken for. */
  get unused(): number {
    return this.#options.concurrency - this.#options.table.slotsInUse - this.#reserved;
  }

  /** Slots to take messages for: tasks that go on after a wait come first. */
  get free(): number {
    return this.unused - this.#options.slotsDue();
  }

  /** How many settlements may still come to wait: at most as many wait as there are slots. */
  get room(): number {
    return this.#options.concurrency - this.#options.table.unsettled;
  }

  /** How many messages to ask for in a call that settles so many deliveries. */
  wanted(settling: number): number {
    if (this.#takes > 0 && !this.#backlog) return 0;
    return Math.max(0, Math.min(this.batch, this.free, this.room + settling));
  }

  /** A call begins that asks for so many messages. */
  reserve(take: number): void {
    this.#reserved += take;
    if (take > 0) this.#takes++;
  }

  /** A call that asked for `take` messages has brought so many. */
  brought(take: number, count: number): void {
    if (take > 0) this.#backlog = count === take;
  }

  /** A call that asked for so many messages has ended. */
  release(take: number): void {
    this.#reserved -= take;
    if (take > 0) this.#takes--;
  }
}
