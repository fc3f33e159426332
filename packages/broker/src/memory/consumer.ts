import { clip, textLimits } from "../clip.js";
import { defaultRetention } from "../routing/retention.js";
import type { ConsumeOptions, Consumer, Renewal, SettledAndTaken } from "../ports/consumer.js";
import type { Delivery } from "../ports/delivery.js";
import type { Retention } from "../ports/retention.js";
import type { Settlement } from "../ports/settlement.js";
import type { Access } from "./access.js";
import type { FlowParts } from "./flows/flow-step.js";
import { repairFlows } from "./flows/repair-flows.js";
import { isOnLoan, noteEnd, noteStart, type HeldMessage } from "./held-message.js";
import { Settlements } from "./settlements.js";
import { deliveryOf, TakeOrder } from "./take.js";
import { waitForNews } from "./wait.js";

export interface MemoryConsumerOptions {
  readonly parts: FlowParts;
  readonly access: Access;
  readonly newId: () => string;
}

/** Longest time that a wait lasts, in ms; its timer keeps the process alive for as long. */
const longestWait = 10_000;

const day = 24 * 3600 * 1000;

/** The consuming side of some queues of a space. */
export class MemoryConsumer implements Consumer {
  readonly storesInSettlement = true;
  readonly #options: ConsumeOptions;
  readonly #parts: FlowParts;
  readonly #access: Access;
  readonly #newId: () => string;
  readonly #names: readonly string[];
  readonly #order: TakeOrder;
  readonly #retentionOf: (queue: string) => Retention;
  readonly #settlements: Settlements;
  readonly #listening = new AbortController();
  /** Until when nothing is taken from a queue, in ms since the epoch. */
  readonly #backedOff = new Map<string, number>();
  #dropped = new Map<string, number>();
  #assumesWork = false;

  constructor(options: ConsumeOptions, { parts, access, newId }: MemoryConsumerOptions) {
    const { queues, worker } = options;
    const retentions = new Map(queues.map(({ name, retention = defaultRetention(day) }) => [name, retention]));
    this.#options = options;
    this.#parts = parts;
    this.#access = access;
    this.#newId = newId;
    this.#names = queues.map(({ name }) => name);
    this.#order = new TakeOrder(options);
    this.#retentionOf = (queue) => retentions.get(queue) ?? defaultRetention(day);
    const onDropped = (queue: string, count: number) => this.#noteDropped(queue, count);
    this.#settlements = new Settlements({ parts, retentionOf: this.#retentionOf, worker, onDropped });
  }

  open(): Promise<readonly string[]> {
    return this.#access.broker("the worker did not start", () => []);
  }

  async store(): Promise<void> {}

  settleAndTake({ settle, take }: { readonly settle: readonly Settlement[]; readonly take: number }): Promise<SettledAndTaken> {
    return this.#access.broker("nothing was settled or taken", () => {
      const settled = this.#settlements.settle(settle);
      return { deliveries: this.#take(take), settled };
    });
  }

  hasWork(): boolean {
    return this.#assumesWork || this.nextLookAt() <= this.#parts.time.now();
  }

  nextLookAt(): number {
    const now = this.#parts.time.now();
    const looks = this.#names.map((name) => {
      const queue = this.#parts.queues.find(name);
      const ready = queue === undefined ? Infinity : queue.hasReady(now) ? 0 : queue.nextDue();
      return Math.max(ready, this.#backedOff.get(name) ?? 0);
    });
    return Math.min(Infinity, ...looks);
  }

  assumeWork(): void {
    this.#assumesWork = true;
  }

  async wait(): Promise<void> {
    const { queues, time } = this.#parts;
    if (this.hasWork()) return;
    const longest = Math.min(longestWait, (this.#options.lease * 2) / 3);
    await waitForNews({ queues, time, longest, signal: this.#listening.signal }, this.nextLookAt());
  }

  stopListening(): void {
    this.#listening.abort(this.#access.unavailable("no waiting for tasks"));
  }

  /** Nobody holds news back from others. */
  async releaseWakeups(): Promise<void> {}

  backOff(queue: string, pause: number): void {
    const until = this.#parts.time.now() + pause;
    this.#backedOff.set(queue, Math.max(until, this.#backedOff.get(queue) ?? 0));
  }

  promote(messages: readonly { readonly id: string; readonly queues: readonly string[] }[]): Promise<readonly boolean[]> {
    return this.#access.broker("tasks were not moved to the front", () => {
      // The last first: each is put before those that were moved before it.
      const moved = messages.toReversed().map(({ id, queues }) => this.#moveToFront(id, queues));
      this.#parts.queues.wake();
      return moved.toReversed();
    });
  }

  renew(deliveries: readonly Delivery[]): Promise<Renewal> {
    return this.#access.broker("leases were not renewed", () => {
      const lost: Delivery[] = [];
      const revoked: Renewal["revoked"][number][] = [];
      for (const delivery of deliveries) {
        const message = this.#onLoan(delivery);
        if (message?.loan === undefined) {
          lost.push(delivery);
          continue;
        }
        message.loan.until = this.#parts.time.now() + this.#options.lease;
        const { revoked: reason, terminate = false } = message;
        if (reason !== undefined) revoked.push({ delivery, revocation: { reason: clip(reason, textLimits.reason), terminate } });
      }
      return { lost, revoked };
    });
  }

  begin(delivery: Delivery): Promise<boolean> {
    return this.#access.broker(`the start of task ${delivery.id} was not counted`, () => {
      const message = this.#onLoan(delivery);
      if (message === undefined) return false;
      noteStart(message, delivery.number);
      delete message.unknownSince;
      return true;
    });
  }

  end(delivery: Delivery): Promise<void> {
    return this.#access.broker(`the end of task ${delivery.id} was not counted`, () => {
      const message = this.#find(delivery);
      if (message !== undefined && message.place !== "ended") noteEnd(message, delivery.number);
    });
  }

  repairFlows(stale: number): Promise<number> {
    return this.#access.broker("flows were not repaired", () => repairFlows(this.#parts, stale));
  }

  recover(): Promise<number> {
    return this.#access.broker("queues were not scanned for lost tasks", () => {
      const { queues, results, time } = this.#parts;
      const now = time.now();
      results.sweep();
      let recovered = 0;
      for (const queue of queues.named(this.#names)) {
        this.#noteDropped(queue.name, queue.sweep(this.#retentionOf(queue.name), now));
        recovered += queue.recover(now);
      }
      if (recovered > 0) queues.wake();
      return recovered;
    });
  }

  droppedDeadLetters(): ReadonlyMap<string, number> {
    const dropped = this.#dropped;
    this.#dropped = new Map();
    return dropped;
  }

  async close(): Promise<void> {
    this.stopListening();
    this.#access.close();
  }

  #take(count: number): readonly Delivery[] {
    if (count <= 0) return [];
    this.#assumesWork = false;
    const { lease, worker, longestMessage } = this.#options;
    const now = this.#parts.time.now();
    const start = this.#newId();
    let number = 0;
    const open = (name: string) => {
      const queue = (this.#backedOff.get(name) ?? 0) > now ? undefined : this.#parts.queues.find(name);
      return queue?.hasReady(now) ? queue : undefined;
    };
    return this.#order.take(count, open, (queue) => {
      const loan = { token: `${start}:${++number}`, worker, since: now, until: now + lease };
      const message = queue.take(loan);
      return message && deliveryOf(queue.name, message, loan.token, longestMessage);
    });
  }

  #moveToFront(id: string, queues: readonly string[]): boolean {
    const now = this.#parts.time.now();
    for (const queue of this.#parts.queues.named(queues.filter((name) => this.#names.includes(name)))) {
      const message = queue.find(id);
      if (message === undefined || (message.place !== "waiting" && message.place !== "delayed")) continue;
      if (message.place === "delayed" && message.due > now) continue;
      queue.promote(message);
      return true;
    }
    return false;
  }

  #find({ queue, id }: Delivery): HeldMessage | undefined {
    return this.#parts.queues.find(queue)?.find(id);
  }

  /** The message of a delivery whose loan has not run out. */
  #onLoan(delivery: Delivery): HeldMessage | undefined {
    const message = this.#find(delivery);
    return message !== undefined && isOnLoan(message, delivery.token, this.#parts.time.now()) ? message : undefined;
  }

  #noteDropped(queue: string, count: number): void {
    if (count > 0) this.#dropped.set(queue, (this.#dropped.get(queue) ?? 0) + count);
  }
}
