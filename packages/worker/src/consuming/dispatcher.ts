import {
  longestTimer,
  systemTiming,
  type Clock,
  type Consumer,
  type Delivery,
  type Exchange,
  type Outcome,
  type Revocation,
  type Settlement,
  type Timing,
} from "@bullrush/broker";
import type { Logger } from "pino";
import type { Executor, Running } from "../execution/executor.js";
import { revokedError } from "../execution/revoked.js";
import type { SlotLender } from "../execution/slot-lender.js";
import type { LoopGuard } from "../guard/loop-guard.js";
import type { SlotUse } from "../service/held-slots.js";
import type { TroubleLog } from "@bullrush/client/program";
import { Admission } from "./admission.js";
import { Breaker } from "./breaker.js";
import { LentSlots } from "./lent-slots.js";
import { Listener } from "./listener.js";
import type { LoopState } from "./loop-state.js";
import { Outbox } from "./outbox.js";
import { Promotion } from "./promotion.js";

export interface DispatcherOptions {
  readonly consumer: Consumer;
  readonly executor: Executor;
  /** Is told what is on loan here. */
  readonly guard: Pick<LoopGuard, "hold" | "release">;
  /** How many tasks may run at once: the slots, shared by all queues. */
  readonly concurrency: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly trouble: TroubleLog;
  /** Default: the system's. */
  readonly timing?: Pick<Timing, "setTimer">;
}

/** The task that threw an exception which nobody caught. */
export interface Culprit {
  readonly id: string;
  readonly queue: string;
}

/**
 * Most settlements and most messages in one exchange, so that one call never holds Redis for long; in how many exchanges the slots can be filled, so that Redis works on one while
 * this process works on another (more would only cost more calls); and most exchanges at once.
 */
const limits = { batch: 50, shares: 2, exchanges: 4 };

/**
 * A slot first, then a message: takes what the free slots can run, runs it, settles it. A slot is free when the task has ended; at most as many wait to be settled as there are
 * slots.
 */
export class Dispatcher {
  readonly #options: DispatcherOptions;
  readonly #running = new Map<Delivery, Running>();
  readonly #admission: Admission;
  readonly #outbox: Outbox;
  readonly #listener: Listener;
  readonly #lent: LentSlots;
  /** Those of which the lease was lost while they ran. */
  readonly #lost = new WeakSet<Delivery>();
  /** Settlements that went out before and may have been applied. */
  readonly #repeated = new WeakSet<Settlement>();
  readonly #breaker = new Breaker();
  /** Most settlements and messages in one exchange: a share of the slots, so that several exchanges can be under way. */
  readonly #batch: number;
  #exchanges = 0;
  #takes = 0;
  /** Ends that are being counted. */
  #ends = 0;
  /** Slots that are kept for what the takes under way may give. */
  #reserved = 0;
  /** Whether the last exchange got all it asked for: only then is it worth asking several times at once. */
  #backlog = false;
  /** When a task last got back its slot, ms since the epoch. */
  #regainedAt = 0;
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

  constructor(options: DispatcherOptions) {
    const { consumer, executor, clock, trouble, concurrency, log } = options;
    this.#options = options;
    this.#batch = Math.min(limits.batch, Math.ceil(concurrency / limits.shares));
    this.#admission = new Admission({
      isRisky: (delivery) => executor.isRisky(delivery),
      start: (delivery) => this.#run(delivery),
    });
    this.#listener = new Listener({ consumer, clock, trouble, breaker: this.#breaker, onHeard: () => this.#schedule() });
    this.#outbox = new Outbox({
      consumer,
      most: this.#batch,
      clock,
      onReady: () => this.#schedule(),
      onTrouble: (error) => trouble.warn("results not stored", error),
    });
    this.#lent = new LentSlots({
      isRunning: (delivery) => this.#running.has(delivery),
      onLent: (delivery) => {
        this.#admission.lend(delivery);
        this.#schedule();
      },
      onDue: () => this.#schedule(),
      onRegained: (delivery) => {
        this.#admission.regain(delivery);
        this.#regainedAt = clock.now();
      },
      openPromotion: (lend) => {
        const onTrouble = (error: unknown) => trouble.warn("nothing was moved to the front of its queue", error);
        const here = () => new Set(Array.from(this.#running.keys(), ({ id }) => id));
        return new Promotion({ consumer, clock, log, onTrouble, here, lend });
      },
    });
  }

  start(): void {
    this.#taking = true;
    this.#pump();
  }

  /** How many tasks run at this moment. */
  get running(): number {
    return this.#running.size;
  }

  /** What lends the slots of the tasks that run here while they wait for others. */
  get lender(): SlotLender {
    return this.#lent;
  }

  /** What has the slots now. */
  slots(): SlotUse {
    const holders = [...this.#running.values()].filter(({ delivery }) => !this.#lent.isLent(delivery));
    const since = holders.reduce((latest, { startedAt }) => Math.max(latest, startedAt), this.#regainedAt);
    return { isFull: holders.length >= this.#options.concurrency, since, holders };
  }

  /** The deliveries on loan here: those that run, those that wait to run alone, and those that are not settled yet. */
  held(): readonly Delivery[] {
    return [...this.#running.keys(), ...this.#admission.waiting, ...this.#outbox.deliveries()];
  }

  /** Whether `delivery` runs here, or waits to run alone: it has not come to anything yet. */
  isOpen(delivery: Delivery): boolean {
    return this.#running.has(delivery) || this.#admission.waiting.includes(delivery);
  }

  /** Asks the task of `delivery` to end, because others may run it. That its lease ran out while this process lives is no crash, whatever becomes of it here. */
  lost(delivery: Delivery): void {
    if (this.#admission.waiting.includes(delivery)) this.#leave(delivery);
    this.#lost.add(delivery);
    void this.#end(delivery);
    this.#schedule();
    this.#running.get(delivery)?.stop.request(new Error("the lease of this task was lost: others may run it, or have ended it"));
  }

  /**
   * Asks the task of `delivery` to end, because it was revoked; with `terminate` its runner is killed, and its slot is free at once,
   * whatever a function goes on to do that is inline. One that waits to run alone does not begin; one that has ended stays as it is.
   */
  revoked(delivery: Delivery, { reason, terminate }: Revocation): void {
    const running = this.#running.get(delivery);
    // It is said at each renewal anew.
    if (running?.stop.requested && !terminate) return;
    if (running !== undefined) {
      const error = revokedError(delivery, reason);
      if (!terminate) return running.stop.request(error);
      running.stop.kill(error);
      this.#lent.end(delivery);
      this.#running.delete(delivery);
    } else if (!this.#admission.waiting.includes(delivery)) return;
    this.#admission.leave(delivery);
    this.#outbox.add(this.#options.executor.revoke(delivery, reason, running?.startedAt));
  }

  /** How it stands, read at one time. */
  state(): LoopState {
    const { clock, consumer } = this.#options;
    const now = clock.now();
    return {
      taking: this.#taking && !this.#admission.closed,
      free: this.#free,
      room: this.#room,
      running: this.#running.size,
      waiting: this.#admission.waiting.length,
      unsettled: this.#outbox.size,
      exchanges: this.#exchanges,
      takes: this.#takes,
      listening: this.#listener.listening,
      scheduled: this.#scheduled,
      pause: this.#breaker.pause(now),
      nextLook: consumer.nextLook() - now,
      pumps: this.#pumps,
    };
  }

  /** Looks into all queues, whatever is known of them. */
  lookAgain(): void {
    this.#options.consumer.doubt();
    this.#pump();
  }

  /**
   * Settles what runs here after an exception that nobody caught, and takes nothing more; `stop` is to follow. What `culprit` runs counts as a crash; without a culprit
   * that goes for all that runs. All else goes back into its queue, but for what must not run twice: `stop` waits for that. If the culprit does not run, all is left to `stop`.
   * Gives how many crashes it counted.
   */
  crashed(culprit: Culprit | undefined, reason: string): number {
    const { executor } = this.#options;
    this.#taking = false;
    this.#putBackWaiting(reason);
    const crashed = [...this.#running.values()].filter((one) => one.begun && (culprit === undefined || isOf(culprit, one)));
    if (crashed.length === 0) return 0;
    for (const one of crashed) this.#letGo(one, executor.crash(one, reason), reason);
    for (const one of this.#running.values()) {
      if (!executor.isSpent(one.delivery)) this.#letGo(one, executor.putBack(one.delivery, reason), reason);
    }
    return crashed.length;
  }

  /**
   * Takes nothing more, and resolves when all that runs has ended and is settled. When `patience` aborts, the tasks that still run are asked to end and put
   * back into their queues at once; when `limit` aborts, it resolves whatever is left. Gives the number of deliveries that are not settled.
   */
  async stop(patience: AbortSignal, limit: AbortSignal): Promise<number> {
    this.#taking = false;
    const muted = this.#listener.mute();
    await Promise.race([this.#quiet(), aborted(patience)]);
    this.#putBackAll("the worker shuts down");
    await Promise.race([this.#quiet(), aborted(limit)]);
    // Once more, for what the last exchanges saw.
    await Promise.race([muted.then(() => this.#listener.passOn()), aborted(limit)]);
    clearTimeout(this.#retry);
    clearTimeout(this.#nextLook);
    this.#outbox.close();
    this.#lent.close();
    this.#listener.close();
    this.#stopped = true;
    return this.#unsettledCount();
  }

  #putBackAll(reason: string): void {
    this.#putBackWaiting(reason);
    for (const one of this.#running.values()) this.#letGo(one, this.#options.executor.abandon(one, reason), reason);
  }

  #putBackWaiting(reason: string): void {
    for (const delivery of this.#admission.withdraw()) this.#outbox.add(this.#options.executor.putBack(delivery, reason));
  }

  /** Asks what still runs to end, and settles it: what it comes to after that is nobody's. */
  #letGo({ delivery, stop }: Running, settlement: Settlement, reason: string): void {
    this.#lent.end(delivery);
    this.#running.delete(delivery);
    stop.request(new Error(reason));
    this.#outbox.add(settlement);
  }

  #unsettledCount(): number {
    return this.#running.size + this.#admission.waiting.length + this.#outbox.size;
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
    if (!this.#taking && this.#unsettledCount() === 0 && this.#exchanges === 0 && this.#ends === 0) this.#onQuiet?.();
    this.#lent.grant(this.#unused);
    const pause = this.#breaker.pause(this.#options.clock.now());
    if (pause > 0) return this.#retryAfter(pause);
    // Asked once: were it asked again, what becomes due between the answers would be neither taken nor waited for.
    const mayTake = this.#options.consumer.mayTake();
    while (this.#exchanges < limits.exchanges) {
      const settle = this.#outbox.next();
      const take = this.#wanted(settle.length, mayTake);
      if (settle.length === 0 && take === 0) break;
      void this.#exchange(settle, take);
    }
    // What was heard may be answered by a take that is under way; it is decided again when that has ended.
    if (!this.#taking || this.#takes > 0) return;
    if (this.#free <= 0 || this.#room <= 0 || this.#admission.closed) void this.#listener.passOn();
    else if (!mayTake) this.#listen();
  }

  /** Listens, and looks when it is time to, whatever is heard. */
  #listen(): void {
    const { clock, consumer, timing = systemTiming } = this.#options;
    this.#listener.listen();
    const wait = Math.max(0, Math.ceil(consumer.nextLook() - clock.now()));
    this.#nextLook = timing.setTimer(() => this.#schedule(), Math.min(wait, longestTimer));
  }

  /** Slots that nothing has and nothing is to be taken for. */
  get #unused(): number {
    return this.#options.concurrency - (this.#running.size - this.#lent.count) - this.#admission.waiting.length - this.#reserved;
  }

  /** Slots to take messages for: tasks that go on after a wait come first. */
  get #free(): number {
    return this.#unused - this.#lent.due;
  }

  /** How many settlements may still come to wait. */
  get #room(): number {
    return this.#options.concurrency - this.#outbox.size;
  }

  /** How many messages to ask for along with `settled` settlements. */
  #wanted(settled: number, mayTake: boolean): number {
    if (!this.#taking || this.#admission.closed || (this.#takes > 0 && !this.#backlog)) return 0;
    if (settled === 0 && !mayTake) return 0;
    return Math.max(0, Math.min(this.#batch, this.#free, this.#room + settled));
  }

  async #exchange(settle: readonly Settlement[], take: number): Promise<void> {
    const { consumer, clock, trouble } = this.#options;
    this.#reserved += take;
    this.#exchanges++;
    if (take > 0) this.#takes++;
    try {
      const exchange = await consumer.exchange({ settle, take });
      this.#breaker.succeeded();
      if (take > 0) this.#backlog = exchange.deliveries.length === take;
      this.#options.guard.hold(exchange.deliveries);
      this.#settled(settle, exchange);
      await this.#turn();
      for (const delivery of exchange.deliveries) this.#begin(delivery);
    } catch (error) {
      this.#breaker.failed(clock.now());
      for (const settlement of settle) this.#repeated.add(settlement);
      this.#outbox.again(settle);
      if (!this.#stopped) trouble.warn("nothing taken or settled", error);
    } finally {
      this.#exchanges--;
      if (take > 0) this.#takes--;
      this.#reserved -= take;
      this.#schedule();
    }
  }

  #settled(settle: readonly Settlement[], { settled }: Exchange): void {
    const refused = settle.filter((_, index) => settled[index] === "again");
    this.#outbox.refused(refused);
    this.#outbox.settled(refused.length === 0 ? settle : settle.filter((_, index) => settled[index] !== "again"));
    settle.forEach((settlement, index) => {
      if (settled[index] !== "again") this.#leave(settlement.delivery);
      if (settled[index] !== "lost") return;
      void this.#end(settlement.delivery, settlement.outcome);
      if (this.#repeated.has(settlement)) return;
      const { id, queue } = settlement.delivery;
      this.#options.log.warn({ id, queue, outcome: settlement.outcome.type }, "lease lost before the task was settled");
    });
  }

  /** It is not on loan here any more. */
  #leave(delivery: Delivery): void {
    this.#admission.leave(delivery);
    this.#options.guard.release(delivery);
  }

  /** It is somebody else's by now, and has ended here all the same, if it has begun: that was no crash, unless `outcome` says so. */
  async #end(delivery: Delivery, outcome?: Outcome): Promise<void> {
    const { consumer, executor, trouble } = this.#options;
    if (executor.isCrash(delivery, outcome)) return;
    this.#ends++;
    try {
      await consumer.end(delivery);
    } catch (error) {
      if (!this.#stopped) trouble.warn("it was not counted that a task has ended", error);
    } finally {
      this.#ends--;
      this.#schedule();
    }
  }

  #begin(delivery: Delivery): void {
    const { executor } = this.#options;
    if (!this.#taking) return this.#outbox.add(executor.putBack(delivery, "the worker shuts down"));
    this.#admission.enter(delivery);
  }

  #run(delivery: Delivery): void {
    const running = this.#options.executor.start(delivery);
    this.#running.set(delivery, running);
    void running.ended.then((settlement) => {
      this.#admission.ended(delivery);
      this.#lent.end(delivery);
      // It was let go: what the task came to after that is nobody's.
      if (!this.#running.delete(delivery)) return;
      // That it was asked to end, and failed of it, is no failure of the task: whoever has it now will say how it ends. What it came to all the same counts.
      const counts = !this.#lost.has(delivery) || settlement?.outcome.type === "succeeded";
      if (settlement !== undefined && counts) return this.#outbox.add(settlement);
      this.#leave(delivery);
      if (!this.#lost.has(delivery)) void this.#end(delivery, settlement?.outcome);
      this.#schedule();
    });
  }

  #retryAfter(pause: number): void {
    const { timing = systemTiming } = this.#options;
    clearTimeout(this.#retry);
    this.#retry = timing.setTimer(() => this.#pump(), pause);
  }
}

function isOf({ id, queue }: Culprit, { delivery }: Running): boolean {
  return delivery.id === id && delivery.queue === queue;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
