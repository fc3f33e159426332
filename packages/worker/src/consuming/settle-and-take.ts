import { isRefused, type Clock, type Consumer, type Delivery, type SettledAndTaken } from "@bullrush/broker";
import type { Breaker } from "./breaker.js";
import type { DeliveryTable } from "./delivery-table.js";
import type { LoopLog } from "./loop-log.js";
import type { MissingRights } from "./missing-rights.js";
import type { Runs } from "./runs.js";
import type { SettlementQueue } from "./settlement-queue.js";
import type { SlotBudget } from "./slot-budget.js";
import type { TrackedDelivery } from "./tracked-delivery.js";
import type { Turns } from "./turns.js";
import { needsVouching } from "./vouched.js";

export interface SettleAndTakeOptions {
  readonly consumer: Pick<Consumer, "settleAndTake">;
  /** Messages that say that they are part of flows, as these know them. */
  readonly vouched: (deliveries: readonly Delivery[]) => Promise<readonly Delivery[]>;
  readonly clock: Clock;
  readonly table: DeliveryTable;
  readonly runs: Runs;
  readonly settlements: SettlementQueue;
  readonly budget: SlotBudget;
  readonly turns: Turns;
  readonly breaker: Breaker;
  readonly rights: MissingRights;
  readonly log: LoopLog;
  /** Whether what a take brings is still to run; otherwise it goes back into its queue. */
  readonly isTaking: () => boolean;
}

/** For how long a message goes back into its queue of which nobody can say where it stands in its flow, in ms. */
const unvouched = 1000;

/** The calls that settle deliveries and take messages: makes them, and applies what they answer. */
export class SettleAndTake {
  readonly #options: SettleAndTakeOptions;
  #underWay = 0;

  constructor(options: SettleAndTakeOptions) {
    this.#options = options;
  }

  /** How many calls are under way. */
  get underWay(): number {
    return this.#underWay;
  }

  /** Settles deliveries that are `settling`, takes up to `take` messages, and has them begin. Never rejects. */
  async call(settle: readonly TrackedDelivery[], take: number): Promise<void> {
    const { consumer, budget, turns } = this.#options;
    budget.reserve(take);
    this.#underWay++;
    try {
      const answer = await consumer.settleAndTake({ settle: settle.map(({ settlement }) => settlement), take });
      await this.#apply(answer, settle, take);
    } catch (error) {
      this.#failed(settle, error);
    } finally {
      this.#underWay--;
      budget.release(take);
      turns.schedule();
    }
  }

  async #apply(answer: SettledAndTaken, settle: readonly TrackedDelivery[], take: number): Promise<void> {
    const { table, budget, turns } = this.#options;
    const { deliveries } = answer;
    this.#heed(answer, settle.length);
    budget.brought(take, deliveries.length);
    const placed = deliveries.filter(needsVouching);
    const taken = table.take(placed.length === 0 ? deliveries : deliveries.filter((delivery) => !placed.includes(delivery)));
    this.#settled(settle, answer);
    await turns.next();
    for (const tracked of taken) this.#begin(tracked);
    if (placed.length > 0) await this.#beginPlaced(placed);
  }

  #failed(settle: readonly TrackedDelivery[], error: unknown): void {
    const { settlements, breaker, rights, clock, log } = this.#options;
    for (const tracked of settle) tracked.isRepeated = true;
    // What is to be settled may be at fault, and is found by itself; a take that is refused alone is not.
    if (settle.length > 0 && isRefused(error)) settlements.failed(settle, error);
    else {
      breaker.failed(clock.now());
      settlements.again(settle);
    }
    log.trouble("nothing taken or settled", error);
    rights.failed(error);
  }

  /** Whether Redis did what was asked: where it does not let its user, trying again at once is of no use. */
  #heed({ deliveries, refused, faults }: SettledAndTaken, settled: number): void {
    const { breaker, rights, clock, log } = this.#options;
    if (faults !== undefined) log.faults(faults);
    if (refused === undefined) {
      breaker.succeeded();
      if (deliveries.length > 0 || settled > 0) rights.granted();
      return;
    }
    breaker.failed(clock.now());
    log.trouble("not all was taken or settled", refused);
    rights.failed(refused);
  }

  #settled(settle: readonly TrackedDelivery[], { settled, refusals }: SettledAndTaken): void {
    const { settlements, runs, log } = this.#options;
    settle.forEach((tracked, index) => {
      switch (settled[index]) {
        case "again":
          return settlements.refused(tracked, refusals?.[index]);
        case "lost":
          log.notCounted(tracked);
          return runs.overtaken(tracked);
        case "settled":
        case undefined:
          if (tracked.leaseLost) log.lateSuccess(tracked);
          return runs.leave(tracked, "settled");
      }
    });
  }

  /** Begins what is part of flows. What cannot be asked for waits a little in its queue. Never rejects. */
  async #beginPlaced(placed: readonly Delivery[]): Promise<void> {
    const { vouched, table, runs, log } = this.#options;
    try {
      for (const tracked of table.take(await vouched(placed))) this.#begin(tracked);
    } catch (error) {
      log.trouble("not known where messages stand in their flows", error);
      for (const tracked of table.take(placed)) runs.putBack(tracked, "it is not known where it stands in its flow", unvouched);
    }
  }

  #begin(tracked: TrackedDelivery): void {
    const { runs, isTaking } = this.#options;
    if (isTaking()) runs.begin(tracked);
    else runs.putBack(tracked, "the worker shuts down");
  }
}
