import { maxTimerDelay, systemTiming, type BullrushError, type Clock, type Consumer, type Delivery, type Timing } from "@bullrush/broker";
import type { ThrottledLog } from "@bullrush/program";
import type { Logger } from "pino";
import type { Executor } from "../execution/executor.js";
import type { LoopGuard } from "../guard/loop-guard.js";
import type { TellEnd } from "../middleware/hook-events.js";
import type { SlotUse } from "../service/held-slots.js";
import { Breaker } from "./breaker.js";
import { DeliveryTable } from "./delivery-table.js";
import { LoopLog } from "./loop-log.js";
import type { LoopState } from "./loop-state.js";
import { MissingRights } from "./missing-rights.js";
import { shortened } from "./refusals.js";
import { Runs } from "./runs.js";
import { SettleAndTake } from "./settle-and-take.js";
import { SettlementQueue } from "./settlement-queue.js";
import { SlotBudget } from "./slot-budget.js";
import { slotUse } from "./slot-use.js";
import type { TrackedDelivery } from "./tracked-delivery.js";
import { Turns } from "./turns.js";
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
  /** Tells hooks how a delivery ended. `undefined`: no hook wants to hear of it. Default: nobody is told. */
  readonly tellEnd?: () => TellEnd | undefined;
  /** Hears when Redis does not let its user take or settle, and there is no use in trying again. May hear it more than once. Default: nobody. */
  readonly onHopeless?: (error: BullrushError) => void;
  /** Default: the system's. */
  readonly timing?: Pick<Timing, "setTimer">;
}

/** Most calls to the broker at once. */
const maxCalls = 4;

/**
 * A slot first, then a message: takes what the free slots can run, runs it, settles it. A slot is free when the task has ended; at most as many wait to be settled as there are
 * slots.
 */
export class FetchLoop {
  /** What is on loan here. */
  readonly table: DeliveryTable;
  /** What runs here, and how it is asked to end. */
  readonly runs: Runs;
  readonly #options: FetchLoopOptions;
  readonly #settlements: SettlementQueue;
  readonly #budget: SlotBudget;
  readonly #calls: SettleAndTake;
  readonly #wakeups: Wakeups;
  readonly #breaker = new Breaker();
  readonly #turns = new Turns(() => this.#pump());
  readonly #log: LoopLog;
  #taking = false;
  #stopped = false;
  #retry: NodeJS.Timeout | undefined;
  /** Set while this listens: what is heard may have been armed before it was known when to look next. */
  #nextLook: NodeJS.Timeout | undefined;
  #pumps = 0;
  #onQuiet: (() => void) | undefined;

  constructor(options: FetchLoopOptions) {
    const { consumer, guard, clock, log, trouble, concurrency, onHopeless = () => undefined, tellEnd = () => undefined } = options;
    const schedule = () => this.#turns.schedule();
    const breaker = this.#breaker;
    this.#options = options;
    this.#log = new LoopLog(log, trouble);
    this.table = new DeliveryTable(guard);
    this.runs = new Runs({
      ...options,
      table: this.table,
      tellEnd,
      onEnded: (tracked) => this.#settlements.add(tracked),
      onChange: schedule,
    });
    this.#budget = new SlotBudget({ table: this.table, concurrency, slotsDue: () => this.runs.slotsDue });
    this.#wakeups = new Wakeups({ consumer, clock, trouble, onHopeless, breaker, onHeard: schedule });
    this.#settlements = new SettlementQueue({
      consumer,
      most: this.#budget.batch,
      clock,
      onReady: schedule,
      onTrouble: (error) => trouble.warn("results not stored", error),
      onRefused: (tracked, refusal) => this.#log.refused(tracked, refusal?.reason),
      giveUp: (tracked, { reason }) => this.#giveUp(tracked, shortened(reason)),
    });
    this.#calls = new SettleAndTake({
      ...options,
      table: this.table,
      runs: this.runs,
      settlements: this.#settlements,
      budget: this.#budget,
      turns: this.#turns,
      breaker,
      rights: new MissingRights(clock, onHopeless),
      log: this.#log,
      isTaking: () => this.#taking,
    });
  }

  start(): void {
    this.#taking = true;
    this.#pump();
  }

  /** What has the slots now. They are not full once nothing is taken any more. */
  slots(): SlotUse {
    const { concurrency, clock } = this.#options;
    const use = slotUse(this.table, concurrency, this.runs.regainedAt, clock.now());
    return this.#taking ? use : { ...use, isFull: false };
  }

  /** How it stands, read at one time. */
  state(): LoopState {
    const { clock, consumer } = this.#options;
    const now = clock.now();
    return {
      taking: this.#taking && !this.runs.full,
      free: this.#budget.free,
      room: this.#budget.room,
      running: this.table.running,
      waiting: this.table.waiting,
      unsettled: this.table.unsettled,
      calls: this.#calls.underWay,
      takes: this.#budget.takes,
      listening: this.#wakeups.waiting,
      scheduled: this.#turns.scheduled,
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
   * Takes nothing more, and resolves when all that runs has ended and is settled. When `patience` aborts, the tasks that still run are asked to end and put
   * back into their queues at once; when `limit` aborts, it resolves whatever is left. Returns the number of deliveries that are not settled.
   */
  async stop(patience: AbortSignal, limit: AbortSignal): Promise<number> {
    this.#taking = false;
    const released = this.#wakeups.stop();
    await Promise.race([this.#quiet(), aborted(patience)]);
    this.runs.putBackAll("the worker shuts down");
    await Promise.race([this.#quiet(), aborted(limit)]);
    // Once more, for what the last calls saw.
    await Promise.race([released.then(() => this.#wakeups.release()), aborted(limit)]);
    clearTimeout(this.#retry);
    clearTimeout(this.#nextLook);
    this.#settlements.close();
    this.runs.close();
    this.#wakeups.close();
    this.#log.close();
    this.#stopped = true;
    return this.table.size;
  }

  #quiet(): Promise<void> {
    return new Promise((resolve) => {
      this.#onQuiet = resolve;
      this.#turns.schedule();
    });
  }

  /** How many slots are free; settle and take; what came begins when the call is back. */
  #pump(): void {
    if (this.#stopped) return;
    this.#pumps++;
    clearTimeout(this.#nextLook);
    if (!this.#taking && this.runs.quiet && this.table.unsettled === 0 && this.#calls.underWay === 0) this.#onQuiet?.();
    this.runs.grant(this.#budget.unused);
    const pause = this.#breaker.pause(this.#options.clock.now());
    if (pause > 0) return this.#retryAfter(pause);
    // Asked once: were it asked again, what becomes due between the answers would be neither taken nor waited for.
    const mayTake = this.#options.consumer.hasWork();
    while (this.#calls.underWay < maxCalls) {
      const settle = this.#settlements.next();
      const take = this.#settlements.isApart(settle) ? 0 : this.#wanted(settle.length, mayTake);
      if (settle.length === 0 && take === 0) break;
      void this.#calls.call(settle, take);
    }
    // What was heard may be answered by a take that is under way; it is decided again when that has ended.
    if (!this.#taking || this.#budget.takes > 0) return;
    if (this.#budget.free <= 0 || this.#budget.room <= 0 || this.runs.full) void this.#wakeups.release();
    else if (!mayTake) this.#listen();
  }

  /** How many messages to ask for in a call that settles so many deliveries. */
  #wanted(settling: number, mayTake: boolean): number {
    const isWorthwhile = this.#taking && !this.runs.full && (settling > 0 || mayTake);
    return isWorthwhile ? this.#budget.wanted(settling) : 0;
  }

  /** Listens, and looks when it is time to, whatever is heard. */
  #listen(): void {
    const { clock, consumer, timing = systemTiming } = this.#options;
    this.#wakeups.wait();
    const wait = Math.max(0, Math.ceil(consumer.nextLookAt() - clock.now()));
    this.#nextLook = timing.setTimer(() => this.#turns.schedule(), Math.min(wait, maxTimerDelay));
  }

  /** Fails a delivery for good whose settlement was refused too often. Returns whether it could: otherwise its lease runs out. */
  #giveUp(tracked: TrackedDelivery, reason: string): boolean {
    const instead = tracked.isGivenUp ? undefined : this.#options.executor.settler.giveUp(tracked.settlement, reason);
    if (instead !== undefined) {
      this.runs.endInstead(tracked, instead);
      return true;
    }
    this.#log.notSettled(tracked, reason);
    this.runs.leave(tracked, "lost");
    return false;
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
