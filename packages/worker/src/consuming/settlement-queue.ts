import { isRefused, type Clock, type Consumer, type Delivery, type Settlement } from "@bullrush/broker";
import { Breaker } from "./breaker.js";
import { reasonOf, Refusals } from "./refusals.js";

export interface SettlementQueueOptions {
  readonly consumer: Pick<Consumer, "store" | "storesInSettlement">;
  /** Most settlements in one call. */
  readonly most: number;
  readonly clock: Clock;
  /** Hears when there may be something to settle. */
  readonly onReady: () => void;
  /** Hears why results could not be stored, at each failure. */
  readonly onTrouble: (error: unknown) => void;
  /** Hears that the broker has refused a settlement by itself, and how often it was for what it is. */
  readonly onRefused: (settlement: Settlement, reason: string | undefined, times: number) => void;
  /** What settles a delivery instead whose settlement was refused too often; `undefined`: nothing does. */
  readonly giveUp: (settlement: Settlement, reason: string) => Settlement | undefined;
}

/** Most characters of results in one call, so that none holds Redis or the line for long, and most calls that store at once. */
const limits = { characters: 256 * 1024, stores: 4 };

/** When a settlement is tried again that the broker refused by itself, in ms. */
const refusedFor = 1000;

/**
 * What has ended and is not settled yet. Results that an exchange does not store in its own call are stored ahead of it, many in one call, while others run. Nothing
 * leaves before it is settled.
 */
export class SettlementQueue {
  readonly #options: SettlementQueueOptions;
  readonly #breaker = new Breaker();
  /** All of it; the lists below say how far each is. */
  readonly #all = new Set<Settlement>();
  readonly #unstored: Settlement[] = [];
  readonly #ready: Settlement[] = [];
  readonly #refused: Settlement[] = [];
  readonly #refusals = new Refusals();
  #stores = 0;
  #retry: NodeJS.Timeout | undefined;
  #refusedTimer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: SettlementQueueOptions) {
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
    this.#enqueue(settlement);
    this.#options.onReady();
  }

  #enqueue(settlement: Settlement): void {
    if (settlement.store === undefined || this.#options.consumer.storesInSettlement) this.#ready.push(settlement);
    else this.#unstored.push(settlement);
  }

  /** What goes into the next exchange. Each of it has to come back, as `settled`, `again`, `failed` or `refused`. */
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

  /** A call with these was refused: each is sent by itself from now on, and one that was waits. Never holds up others. */
  failed(settlements: readonly Settlement[], error: unknown): void {
    const [one] = settlements;
    if (settlements.length === 1 && one !== undefined) return this.refused(one, reasonOf(error));
    this.#refusals.suspect(settlements);
    this.#ready.unshift(...settlements);
  }

  /** Whether these go into a call that takes nothing, so that it holds up nothing. */
  isApart([first]: readonly Settlement[]): boolean {
    return first !== undefined && this.#refusals.isApart(first);
  }

  /** The broker refused this by itself: it waits, and holds up no others. When that was too often, it fails for good. */
  refused(settlement: Settlement, reason: string | undefined): void {
    const { giveUp, onRefused } = this.#options;
    const { verdict, times } = this.#refusals.refused(settlement, reason);
    onRefused(settlement, reason, times);
    if (verdict === "again") return this.#wait(settlement);
    this.#all.delete(settlement);
    const instead = giveUp(settlement, reason ?? "unknown");
    if (instead === undefined) return;
    this.#refusals.suspect([instead]);
    this.add(instead);
  }

  #wait(settlement: Settlement): void {
    this.#refused.push(settlement);
    this.#refusedTimer ??= setTimeout(() => {
      this.#refusedTimer = undefined;
      for (const settlement of this.#refused.splice(0)) this.#enqueue(settlement);
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
      if (isRefused(error)) this.#notStored(batch, error);
      else {
        this.#breaker.failed(clock.now());
        this.#unstored.unshift(...batch);
      }
      if (!this.#closed) onTrouble(error);
    } finally {
      this.#stores--;
      if (!this.#closed) onReady();
    }
  }

  /** One of these cannot be stored, and is not to hold up the others. */
  #notStored(batch: readonly Settlement[], error: unknown): void {
    const [one] = batch;
    if (batch.length === 1 && one !== undefined) return this.refused(one, reasonOf(error));
    this.#refusals.suspect(batch);
    this.#unstored.unshift(...batch);
  }

  /** The first of `list`, as many as go into one call; at least one, however large. */
  #firstOf(list: Settlement[]): readonly Settlement[] {
    let count = 0;
    let characters = 0;
    while (count < list.length && count < this.#options.most) {
      // One that a call was refused with goes alone.
      if (count > 0 && (this.#refusals.isApart(list[0] as Settlement) || this.#refusals.isApart(list[count] as Settlement))) break;
      characters += list[count]?.store?.record.length ?? 0;
      if (count > 0 && characters > limits.characters) break;
      count++;
    }
    return list.splice(0, count);
  }
}
