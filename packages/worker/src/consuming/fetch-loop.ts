import {
  isRefused,
  longestTimer,
  systemTiming,
  type BullrushError,
  type Clock,
  type Consumer,
  type Delivery,
  type SettledAndTaken,
  type QueueFault,
  type Revocation,
  type Settlement,
  type Timing,
} from "@bullrush/broker";
import type { ThrottledLog } from "@bullrush/program";
import type { Logger } from "pino";
import type { Executor } from "../execution/executor.js";
import type { SlotLender } from "../execution/slot-lender.js";
import type { LoopGuard } from "../guard/loop-guard.js";
import type { SlotUse } from "../service/held-slots.js";
import { Breaker } from "./breaker.js";
import { Deliveries, type Culprit } from "./deliveries.js";
import type { LoopState } from "./loop-state.js";
import { MissingRights } from "./missing-rights.js";
import { SettlementQueue } from "./settlement-queue.js";
import { shortened } from "./refusals.js";
import { needsVouching } from "./vouched.js";
import { Wakeups } from "./wakeups.js";

export interface FetchLoopOptions {
  readonly consumer: Consumer;
  readonly executor: Executor;
  /** Messages that say that they are part of flows, as these know them. */
  readonly vouched: (deliveries: readonly Delivery[]) => Promise<readonly Delivery[]>;
  /** Is told what is on loan here. */
  readonly guard: Pick<LoopGuard, "hold" | "release">;
  /** How many tasks may run at once: the slots, shared by all queues. */
  readonly concurrency: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly trouble: ThrottledLog;
  /** Hears when Redis does not let its user take or settle, and there is no use in trying again. May hear it more than once. Default: nobody. */
  readonly onHopeless?: (error: BullrushError) => void;
  /** Default: the system's. */
  readonly timing?: Pick<Timing, "setTimer">;
}

/**
 * Most settlements and most messages in one exchange, so that one call never holds Redis for long; in how many exchanges the slots can be filled, so that Redis works on one while
 * this process works on another (more would only cost more calls); and most exchanges at once.
 */
const limits = { batch: 50, shares: 2, exchanges: 4 };

/** For how long a message goes back into its queue of which nobody can say where it stands in its flow, in ms. */
const unvouched = 1000;

/** What the line says of a run whose lease was lost, and which came too late to end its task. */
const notCounted = "this run does not count: its lease was lost, and another run of the task has ended it, or will";

/**
 * A slot first, then a message: takes what the free slots can run, runs it, settles it. A slot is free when the task has ended; at most as many wait to be settled as there are
 * slots.
 */
export class FetchLoop {
  readonly #options: FetchLoopOptions;
  readonly #deliveries: Deliveries;
  readonly #settlements: SettlementQueue;
  readonly #wakeups: Wakeups;
  /** Settlements that went out before and may have been applied. */
  readonly #repeated = new WeakSet<Settlement>();
  /** Of those that are settled in another way than they ended, because that was refused, what was taken. */
  readonly #originals = new WeakMap<Delivery, Delivery>();
  readonly #breaker = new Breaker();
  readonly #rights: MissingRights;
  /** Most settlements and messages in one exchange: a share of the slots, so that several exchanges can be under way. */
  readonly #batch: number;
  #exchanges = 0;
  #takes = 0;
  /** Slots that are kept for what the takes under way may give. */
  #reserved = 0;
  /** Whether the last exchange got all it asked for: only then is it worth asking several times at once. */
  #backlog = false;
  #taking = false;
  #stopped = false;
  #scheduled = false;
  /** Lets what exchanges gave begin, in the order in which they came. */
  readonly #arrived: (() => void)[] = [];
  #retry: NodeJS.Timeout | undefined;
  /** Set while this listens: what is heard may have been armed before it was known when to look next. */
  #nextLook: NodeJS.Timeout | undefined;
  #pumps = 0;
  #onQuiet: (() => void) | undefined;

  constructor(options: FetchLoopOptions) {
    const { consumer, clock, trouble, concurrency, onHopeless = () => undefined } = options;
    this.#options = options;
    this.#rights = new MissingRights(clock, onHopeless);
    this.#batch = Math.min(limits.batch, Math.ceil(concurrency / limits.shares));
    this.#deliveries = new Deliveries({
      ...options,
      onEnded: (settlement) => this.#settlements.add(settlement),
      onChange: () => this.#schedule(),
    });
    this.#wakeups = new Wakeups({ consumer, clock, trouble, onHopeless, breaker: this.#breaker, onHeard: () => this.#schedule() });
    this.#settlements = new SettlementQueue({
      consumer,
      most: this.#batch,
      clock,
      onReady: () => this.#schedule(),
      onTrouble: (error) => trouble.warn("results not stored", error),
      onRefused: (settlement, reason, times) => this.#sayRefused(settlement, reason, times),
      giveUp: (settlement, reason) => this.#giveUp(settlement, reason),
    });
  }

  start(): void {
    this.#taking = true;
    this.#pump();
  }

  /** How many tasks run at this moment. */
  get running(): number {
    return this.#deliveries.running;
  }

  /** What lends the slots of the tasks that run here while they wait for others. */
  get lender(): SlotLender {
    return this.#deliveries.lender;
  }

  /** What has the slots now. They are not full once nothing is taken any more. */
  slots(): SlotUse {
    const use = this.#deliveries.slots();
    return this.#taking ? use : { ...use, isFull: false };
  }

  /** The deliveries on loan here: those that run, those that wait to run alone, and those that are not settled yet. */
  held(): readonly Delivery[] {
    return [...this.#deliveries.all(), ...this.#settlements.deliveries()];
  }

  /** Whether `delivery` runs here, or waits to run alone: it has not come to anything yet. */
  isOpen(delivery: Delivery): boolean {
    return this.#deliveries.has(delivery);
  }

  /** Asks the task of `delivery` to end, because others may run it. */
  lost(delivery: Delivery): void {
    this.#deliveries.lost(delivery);
  }

  /** Asks the task of `delivery` to end, or ends it at once, because it was revoked. */
  revoked(delivery: Delivery, revocation: Revocation): void {
    this.#deliveries.revoked(delivery, revocation);
  }

  /** How it stands, read at one time. */
  state(): LoopState {
    const { clock, consumer } = this.#options;
    const now = clock.now();
    return {
      taking: this.#taking && !this.#deliveries.full,
      free: this.#free,
      room: this.#room,
      running: this.#deliveries.running,
      waiting: this.#deliveries.waiting,
      unsettled: this.#settlements.size,
      exchanges: this.#exchanges,
      takes: this.#takes,
      listening: this.#wakeups.waiting,
      scheduled: this.#scheduled,
      pause: this.#breaker.pause(now),
      nextLook: consumer.nextLookAt() - now,
      pumps: this.#pumps,
    };
  }

  /** Looks into all queues, whatever is known of them. */
  lookAgain(): void {
    this.#options.consumer.assumeWork();
    this.#pump();
  }

  /** Takes nothing more; `stop` is to follow. */
  takeNoMore(): void {
    this.#taking = false;
  }

  /**
   * Takes nothing more, and settles what runs here after an exception that nobody caught, as `Deliveries.crashed` does; `stop` is to follow, and waits for what still runs. Gives how
   * many crashes it counted.
   */
  crashed(culprit: Culprit | undefined, reason: string): number {
    this.takeNoMore();
    return this.#deliveries.crashed(culprit, reason);
  }

  /**
   * Takes nothing more, and resolves when all that runs has ended and is settled. When `patience` aborts, the tasks that still run are asked to end and put
   * back into their queues at once; when `limit` aborts, it resolves whatever is left. Gives the number of deliveries that are not settled.
   */
  async stop(patience: AbortSignal, limit: AbortSignal): Promise<number> {
    this.#taking = false;
    const released = this.#wakeups.stop();
    await Promise.race([this.#quiet(), aborted(patience)]);
    this.#deliveries.putBackAll("the worker shuts down");
    await Promise.race([this.#quiet(), aborted(limit)]);
    // Once more, for what the last exchanges saw.
    await Promise.race([released.then(() => this.#wakeups.release()), aborted(limit)]);
    clearTimeout(this.#retry);
    clearTimeout(this.#nextLook);
    this.#settlements.close();
    this.#deliveries.close();
    this.#wakeups.close();
    this.#stopped = true;
    return this.#unsettledCount();
  }

  #unsettledCount(): number {
    return this.#deliveries.running + this.#deliveries.waiting + this.#settlements.size;
  }

  #quiet(): Promise<void> {
    return new Promise((resolve) => {
      this.#onQuiet = resolve;
      this.#schedule();
    });
  }

  /** Pumps soon, once for all that ends in this turn of the event loop. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#pump();
      this.#arrived.shift()?.();
      if (this.#arrived.length > 0) this.#schedule();
    });
  }

  /**
   * Resolves when what an exchange gave may begin: at once, unless something else happened in this turn of the event loop. Redis answers several exchanges at a time; if all
   * began together, all would be settled together, and Redis would have nothing to do meanwhile.
   */
  #turn(): Promise<void> | undefined {
    if (!this.#scheduled) return undefined;
    return new Promise((resolve) => this.#arrived.push(resolve));
  }

  #pump(): void {
    if (this.#stopped) return;
    this.#pumps++;
    clearTimeout(this.#nextLook);
    if (!this.#taking && this.#deliveries.quiet && this.#settlements.size === 0 && this.#exchanges === 0) this.#onQuiet?.();
    this.#deliveries.grant(this.#unused);
    const pause = this.#breaker.pause(this.#options.clock.now());
    if (pause > 0) return this.#retryAfter(pause);
    // Asked once: were it asked again, what becomes due between the answers would be neither taken nor waited for.
    const mayTake = this.#options.consumer.hasWork();
    while (this.#exchanges < limits.exchanges) {
      const settle = this.#settlements.next();
      const take = this.#settlements.isApart(settle) ? 0 : this.#wanted(settle.length, mayTake);
      if (settle.length === 0 && take === 0) break;
      void this.#exchange(settle, take);
    }
    // What was heard may be answered by a take that is under way; it is decided again when that has ended.
    if (!this.#taking || this.#takes > 0) return;
    if (this.#free <= 0 || this.#room <= 0 || this.#deliveries.full) void this.#wakeups.release();
    else if (!mayTake) this.#listen();
  }

  /** Listens, and looks when it is time to, whatever is heard. */
  #listen(): void {
    const { clock, consumer, timing = systemTiming } = this.#options;
    this.#wakeups.wait();
    const wait = Math.max(0, Math.ceil(consumer.nextLookAt() - clock.now()));
    this.#nextLook = timing.setTimer(() => this.#schedule(), Math.min(wait, longestTimer));
  }

  /** Slots that nothing has and nothing is to be taken for. */
  get #unused(): number {
    return this.#options.concurrency - this.#deliveries.slotsInUse - this.#reserved;
  }

  /** Slots to take messages for: tasks that go on after a wait come first. */
  get #free(): number {
    return this.#unused - this.#deliveries.slotsDue;
  }

  /** How many settlements may still come to wait. */
  get #room(): number {
    return this.#options.concurrency - this.#settlements.size;
  }

  /** How many messages to ask for along with `settled` settlements. */
  #wanted(settled: number, mayTake: boolean): number {
    if (!this.#taking || this.#deliveries.full || (this.#takes > 0 && !this.#backlog)) return 0;
    if (settled === 0 && !mayTake) return 0;
    return Math.max(0, Math.min(this.#batch, this.#free, this.#room + settled));
  }

  async #exchange(settle: readonly Settlement[], take: number): Promise<void> {
    const { consumer, clock, trouble } = this.#options;
    this.#reserved += take;
    this.#exchanges++;
    if (take > 0) this.#takes++;
    try {
      const exchange = await consumer.settleAndTake({ settle, take });
      this.#heed(exchange, settle.length);
      if (take > 0) this.#backlog = exchange.deliveries.length === take;
      const placed = exchange.deliveries.filter(needsVouching);
      const plain = placed.length === 0 ? exchange.deliveries : exchange.deliveries.filter((delivery) => !placed.includes(delivery));
      this.#deliveries.arrived(plain);
      this.#settled(settle, exchange);
      await this.#turn();
      for (const delivery of plain) this.#begin(delivery);
      if (placed.length > 0) await this.#beginPlaced(placed);
    } catch (error) {
      for (const settlement of settle) this.#repeated.add(settlement);
      // What is to be settled may be at fault, and is found by itself; a take that is refused alone is not.
      if (settle.length > 0 && isRefused(error)) this.#settlements.failed(settle, error);
      else {
        this.#breaker.failed(clock.now());
        this.#settlements.again(settle);
      }
      if (!this.#stopped) trouble.warn("nothing taken or settled", error);
      this.#rights.failed(error);
    } finally {
      this.#exchanges--;
      if (take > 0) this.#takes--;
      this.#reserved -= take;
      this.#schedule();
    }
  }

  /** Whether Redis did what was asked: where it does not let its user, trying again at once is of no use. */
  #heed({ deliveries, refused, faults = [] }: SettledAndTaken, settled: number): void {
    if (!this.#stopped) for (const fault of faults) this.#sayFault(fault);
    if (refused === undefined) {
      this.#breaker.succeeded();
      if (deliveries.length > 0 || settled > 0) this.#rights.granted();
      return;
    }
    this.#breaker.failed(this.#options.clock.now());
    if (!this.#stopped) this.#options.trouble.warn("not all was taken or settled", refused);
    this.#rights.failed(refused);
  }

  #sayFault({ queue, reason, left }: QueueFault): void {
    const { trouble } = this.#options;
    if (reason !== undefined) trouble.warn(`nothing is taken from queue ${queue}`, reason);
    if (left === 0) return;
    const why = reason ?? "their keys hold something else";
    trouble.warn(`messages of queue ${queue} could not begin, and wait for the scan for lost tasks`, `${left} in one take: ${why}`);
  }

  #settled(settle: readonly Settlement[], { settled, refusals }: SettledAndTaken): void {
    this.#settlements.settled(settled.includes("again") ? settle.filter((_, index) => settled[index] !== "again") : settle);
    settle.forEach((settlement, index) => {
      if (settled[index] === "again") return this.#settlements.refused(settlement, refusals?.[index]);
      const delivery = this.#originals.get(settlement.delivery) ?? settlement.delivery;
      this.#deliveries.leave(delivery);
      if (settled[index] !== "lost") return this.#sayLate(settlement, delivery);
      void this.#deliveries.overtaken(delivery, settlement.outcome);
      if (this.#repeated.has(settlement)) return;
      const { id, queue } = settlement.delivery;
      this.#options.log.warn({ id, queue, outcome: settlement.outcome.type }, notCounted);
    });
  }

  /** A success whose lease was lost counts all the same, if it is the first; until now nobody has said that the task has ended. */
  #sayLate({ outcome }: Settlement, delivery: Delivery): void {
    const { content, id } = delivery;
    if (outcome.type !== "succeeded" || content.type !== "message" || !this.#deliveries.wasLost(delivery)) return;
    this.#options.log.info({ task: content.message.task, id }, "succeeded, though its lease was lost");
  }

  #sayRefused({ delivery, outcome }: Settlement, reason: string | undefined, times: number): void {
    const { id, queue } = delivery;
    const why = reason === undefined ? "why is not known" : `${shortened(reason)} (time ${times})`;
    this.#options.trouble.warn("a settlement was refused", `${outcome.type} ${id} in ${queue}: ${why}`);
  }

  /** What settles `settlement`'s delivery instead; without any, its lease runs out. */
  #giveUp(settlement: Settlement, reason: string): Settlement | undefined {
    const { delivery } = settlement;
    const original = this.#originals.get(delivery) ?? delivery;
    const instead = this.#options.executor.giveUp(settlement, shortened(reason));
    if (instead !== undefined) this.#originals.set(instead.delivery, original);
    else {
      const { id, queue } = delivery;
      this.#options.log.error({ id, queue, reason: shortened(reason) }, "not settled: its lease runs out, and it is taken again");
      this.#deliveries.leave(original);
    }
    return instead;
  }

  /** Begins what is part of flows. What cannot be asked for waits a little in its queue. Never rejects. */
  async #beginPlaced(placed: readonly Delivery[]): Promise<void> {
    const { vouched, executor, trouble } = this.#options;
    try {
      const deliveries = await vouched(placed);
      this.#deliveries.arrived(deliveries);
      for (const delivery of deliveries) this.#begin(delivery);
    } catch (error) {
      if (!this.#stopped) trouble.warn("not known where messages stand in their flows", error);
      this.#deliveries.arrived(placed);
      for (const delivery of placed)
        this.#settlements.add(executor.putBack(delivery, "it is not known where it stands in its flow", unvouched));
    }
  }

  #begin(delivery: Delivery): void {
    if (this.#taking) this.#deliveries.begin(delivery);
    else this.#settlements.add(this.#options.executor.putBack(delivery, "the worker shuts down"));
  }

  #retryAfter(pause: number): void {
    const { timing = systemTiming } = this.#options;
    clearTimeout(this.#retry);
    this.#retry = timing.setTimer(() => this.#pump(), pause);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
