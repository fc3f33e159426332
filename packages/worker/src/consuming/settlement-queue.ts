import { ownFaultIn, type Clock, type Consumer, type Refusal } from "@bullrush/broker";
import { Breaker } from "./breaker.js";
import { countRefusal } from "./refusals.js";
import type { TrackedDelivery } from "./tracked-delivery.js";

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
  readonly onRefused: (tracked: TrackedDelivery, refusal: Refusal | undefined) => void;
  /** Gives a delivery whose settlement was refused too often another one. Returns whether it did; otherwise the delivery is lost. */
  readonly giveUp: (tracked: TrackedDelivery, refusal: Refusal) => boolean;
}

/** Most characters of results in one call, so that none holds Redis or the line for long, and most calls that store at once. */
const limits = { characters: 256 * 1024, stores: 4 };

/** When a settlement is tried again that the broker refused by itself, in ms. */
const refusedFor = 1000;

/**
 * The order in which what has ended is settled. Results that a call does not store while it settles are stored ahead of it, many in one call, while others run.
 */
export class SettlementQueue {
  readonly #options: SettlementQueueOptions;
  readonly #breaker = new Breaker();
  /** Those that are `storing` and in no call. */
  readonly #unstored: TrackedDelivery[] = [];
  /** Those that are `settling` and in no call. */
  readonly #ready: TrackedDelivery[] = [];
  /** Those that wait for another try: `ended`. */
  readonly #refused: TrackedDelivery[] = [];
  #stores = 0;
  #retry: NodeJS.Timeout | undefined;
  #refusedTimer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: SettlementQueueOptions) {
    this.#options = options;
  }

  /** It has ended, and is to be settled. */
  add(tracked: TrackedDelivery): void {
    this.#enqueue(tracked);
    this.#options.onReady();
  }

  #enqueue(tracked: TrackedDelivery): void {
    if (tracked.settlement.store === undefined || this.#options.consumer.storesInSettlement) this.#makeReady(tracked);
    else {
      tracked.to("storing");
      this.#unstored.push(tracked);
    }
  }

  #makeReady(tracked: TrackedDelivery): void {
    tracked.to("settling");
    this.#ready.push(tracked);
  }

  /** What goes into the next call. Each of it is settled or lost after it, or has to come back as `again`, `failed` or `refused`. */
  next(): readonly TrackedDelivery[] {
    this.#store();
    return this.#firstOf(this.#ready);
  }

  /** Back in line, first: the call failed. */
  again(batch: readonly TrackedDelivery[]): void {
    this.#ready.unshift(...batch);
  }

  /** A call with these was refused: each is sent by itself from now on, and one that was waits. Never holds up others. */
  failed(batch: readonly TrackedDelivery[], error: unknown): void {
    const [one] = batch;
    if (batch.length === 1 && one !== undefined) return this.refused(one, ownFaultIn(error));
    suspect(batch);
    this.#ready.unshift(...batch);
  }

  /** Whether these go into a call that takes nothing, so that it holds up nothing. */
  isApart([first]: readonly TrackedDelivery[]): boolean {
    return first !== undefined && first.isApart;
  }

  /** The broker refused this by itself: it waits, and holds up no others. When that was too often, it fails for good. */
  refused(tracked: TrackedDelivery, refusal: Refusal | undefined): void {
    const { giveUp, onRefused } = this.#options;
    const isTooOften = countRefusal(tracked, refusal);
    onRefused(tracked, refusal);
    tracked.to("ended");
    if (!isTooOften || refusal === undefined) return this.#wait(tracked);
    if (giveUp(tracked, refusal)) this.add(tracked);
  }

  #wait(tracked: TrackedDelivery): void {
    this.#refused.push(tracked);
    this.#refusedTimer ??= setTimeout(() => {
      this.#refusedTimer = undefined;
      for (const tracked of this.#refused.splice(0)) this.#enqueue(tracked);
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

  async #storeBatch(batch: readonly TrackedDelivery[]): Promise<void> {
    const { consumer, clock, onReady, onTrouble } = this.#options;
    this.#stores++;
    try {
      await consumer.store(batch.map(({ settlement }) => settlement));
      this.#breaker.succeeded();
      for (const tracked of batch) this.#makeReady(tracked);
    } catch (error) {
      if (ownFaultIn(error) !== undefined) this.#notStored(batch, error);
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
  #notStored(batch: readonly TrackedDelivery[], error: unknown): void {
    const [one] = batch;
    if (batch.length === 1 && one !== undefined) return this.refused(one, ownFaultIn(error));
    suspect(batch);
    this.#unstored.unshift(...batch);
  }

  /** The first of `list`, as many as go into one call; at least one, however large. */
  #firstOf(list: TrackedDelivery[]): readonly TrackedDelivery[] {
    let count = 0;
    let characters = 0;
    while (count < list.length && count < this.#options.most) {
      const tracked = list[count] as TrackedDelivery;
      // One that a call was refused with goes alone.
      if (count > 0 && (tracked.isApart || list[0]?.isApart)) break;
      characters += tracked.settlement.store?.record.length ?? 0;
      if (count > 0 && characters > limits.characters) break;
      count++;
    }
    return list.splice(0, count);
  }
}

/** Each of these is sent by itself from now on: one of them, nobody knows which, has a call refused. */
function suspect(batch: readonly TrackedDelivery[]): void {
  for (const tracked of batch) tracked.isApart = true;
}
