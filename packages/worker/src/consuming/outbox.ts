import type { Clock, Consumer, Delivery, Settlement } from "@bullrush/broker";
import { Breaker } from "./breaker.js";

export interface OutboxOptions {
  readonly consumer: Pick<Consumer, "store" | "storesAlong">;
  /** Most settlements in one call. */
  readonly most: number;
  readonly clock: Clock;
  /** Hears when there may be something to settle. */
  readonly onReady: () => void;
  /** Hears why results could not be stored, at each failure. */
  readonly onTrouble: (error: unknown) => void;
}

/** Most characters of results in one call, so that none holds Redis or the line for long, and most calls that store at once. */
const limits = { characters: 256 * 1024, stores: 4 };

/** When a settlement is tried again that the broker refused by itself, in ms. */
const refusedFor = 1000;

/**
 * What has ended and is not settled yet. Results that an exchange does not store in its own call are stored ahead of it, many in one call, while others run. Nothing
 * leaves before it is settled.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #breaker = new Breaker();
  /** All of it; the lists below say how far each is. */
  readonly #all = new Set<Settlement>();
  readonly #unstored: Settlement[] = [];
  readonly #ready: Settlement[] = [];
  readonly #refused: Settlement[] = [];
  #stores = 0;
  #retry: NodeJS.Timeout | undefined;
  #refusedTimer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: OutboxOptions) {
    this.#options = options;
  }

  /** How many are not settled. */
  get size(): number {
    return this.#all.size;
  }

  deliveries(): readonly Delivery[] {
    return Array.from(this.#all, ({ delivery }) => delivery);
  }

  add(settlement: Settlement): void {
    this.#all.add(settlement);
    if (settlement.store === undefined || this.#options.consumer.storesAlong) this.#ready.push(settlement);
    else this.#unstored.push(settlement);
    this.#options.onReady();
  }

  /** What goes into the next exchange. Each of it has to come back, as `settled`, `again` or `refused`. */
  next(): readonly Settlement[] {
    this.#store();
    return this.#firstOf(this.#ready);
  }

  settled(settlements: readonly Settlement[]): void {
    for (const settlement of settlements) this.#all.delete(settlement);
  }

  /** Back in line, first: the call failed. */
  again(settlements: readonly Settlement[]): void {
    this.#ready.unshift(...settlements);
  }

  /** The broker refused these by themselves: they wait, and hold up no others. */
  refused(settlements: readonly Settlement[]): void {
    if (settlements.length === 0) return;
    this.#refused.push(...settlements);
    this.#refusedTimer ??= setTimeout(() => {
      this.#refusedTimer = undefined;
      this.#ready.push(...this.#refused.splice(0));
      this.#options.onReady();
    }, refusedFor);
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    clearTimeout(this.#refusedTimer);
  }

  #store(): void {
    const { clock, onReady } = this.#options;
    const pause = this.#breaker.pause(clock.now());
    if (pause > 0) {
      clearTimeout(this.#retry);
      this.#retry = setTimeout(onReady, pause);
      return;
    }
    while (this.#unstored.length > 0 && this.#stores < limits.stores) void this.#storeBatch(this.#firstOf(this.#unstored));
  }

  async #storeBatch(batch: readonly Settlement[]): Promise<void> {
    const { consumer, clock, onReady, onTrouble } = this.#options;
    this.#stores++;
    try {
      await consumer.store(batch);
      this.#breaker.succeeded();
      this.#ready.push(...batch);
    } catch (error) {
      this.#breaker.failed(clock.now());
      this.#unstored.unshift(...batch);
      if (!this.#closed) onTrouble(error);
    } finally {
      this.#stores--;
      if (!this.#closed) onReady();
    }
  }

  /** The first of `list`, as many as go into one call; at least one, however large. */
  #firstOf(list: Settlement[]): readonly Settlement[] {
    let count = 0;
    let characters = 0;
    while (count < list.length && count < this.#options.most) {
      characters += list[count]?.store?.record.length ?? 0;
      if (count > 0 && characters > limits.characters) break;
      count++;
    }
    return list.splice(0, count);
  }
}
