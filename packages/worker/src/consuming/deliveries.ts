import type { Clock, Consumer, Delivery, Outcome, Revocation, Settlement } from "@bullrush/broker";
import type { ThrottledLog } from "@bullrush/program";
import type { Logger } from "pino";
import type { Executor, Running } from "../execution/executor.js";
import { revokedError } from "../execution/revoked.js";
import type { SlotLender } from "../execution/slot-lender.js";
import type { LoopGuard } from "../guard/loop-guard.js";
import type { SlotUse } from "../service/held-slots.js";
import { Admission } from "./admission.js";
import { LentSlots } from "./lent-slots.js";
import { Promotion } from "./promotion.js";

export interface DeliveriesOptions {
  readonly consumer: Pick<Consumer, "end" | "promote">;
  readonly executor: Executor;
  /** Is told what is on loan here. */
  readonly guard: Pick<LoopGuard, "hold" | "release">;
  /** How many tasks may run at once. */
  readonly concurrency: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly trouble: ThrottledLog;
  /** Hears what is to be settled. */
  readonly onEnded: (settlement: Settlement) => void;
  /** Hears that a slot may be free, or due. */
  readonly onChange: () => void;
}

/** The task that threw an exception which nobody caught. */
export interface Culprit {
  readonly id: string;
  readonly queue: string;
}

/** How long a message waits here to run alone, and for how long it then goes back into its queue, in ms. */
const aloneWithin = { wait: 5000, pause: 10_000 };

/** The deliveries that have come to nothing yet: those that run here, and those that wait to run alone. */
export class Deliveries {
  readonly #options: DeliveriesOptions;
  readonly #running = new Map<Delivery, Running>();
  readonly #admission: Admission;
  readonly #lent: LentSlots;
  /** Those of which the lease was lost while they ran. */
  readonly #lost = new WeakSet<Delivery>();
  /** Of those that wait to run alone. */
  readonly #patience = new Map<Delivery, NodeJS.Timeout>();
  /** Ends that are being counted. */
  #ends = 0;
  /** When a task last got back its slot, ms since the epoch. */
  #regainedAt = 0;
  #closed = false;

  constructor(options: DeliveriesOptions) {
    const { consumer, executor, clock, trouble, log, onChange } = options;
    this.#options = options;
    this.#admission = new Admission({
      isRisky: (delivery) => executor.isRisky(delivery),
      isAwaited: ({ id }) => this.#lent.awaits(id),
      start: (delivery) => this.#run(delivery),
    });
    this.#lent = new LentSlots({
      clock,
      isRunning: (delivery) => this.#running.has(delivery),
      onLent: (delivery) => {
        this.#admission.lend(delivery);
        onChange();
      },
      onDue: onChange,
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

  /** How many run. */
  get running(): number {
    return this.#running.size;
  }

  /** How many wait to run alone. */
  get waiting(): number {
    return this.#admission.waiting.length;
  }

  /** How many slots they have: none of those that are lent. */
  get slotsInUse(): number {
    return this.#running.size - this.#lent.count + this.#admission.waiting.length;
  }

  /** How many tasks could go on after a wait if a slot were free. */
  get slotsDue(): number {
    return this.#lent.due;
  }

  /** Whether nothing more should be taken: what came would have to wait. */
  get full(): boolean {
    return this.#admission.closed;
  }

  /** Whether nothing is here, and nothing is being told of what was. */
  get quiet(): boolean {
    return this.#running.size === 0 && this.#admission.waiting.length === 0 && this.#ends === 0;
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

  all(): readonly Delivery[] {
    return [...this.#running.keys(), ...this.#admission.waiting];
  }

  has(delivery: Delivery): boolean {
    return this.#running.has(delivery) || this.#admission.waiting.includes(delivery);
  }

  /** These are on loan here from now on. */
  arrived(deliveries: readonly Delivery[]): void {
    this.#options.guard.hold(deliveries);
  }

  /** Begins to run it, or has it wait to run alone. Nothing is taken meanwhile, so it does not wait for long. */
  begin(delivery: Delivery): void {
    this.#admission.enter(delivery);
    if (!this.#admission.waiting.includes(delivery)) return;
    const timer = setTimeout(() => this.#giveUp(delivery), aloneWithin.wait);
    this.#patience.set(delivery, timer);
  }

  /** Gives up to `free` slots back to the tasks that have waited longest for one. */
  grant(free: number): void {
    this.#lent.grant(free);
  }

  /** It is not on loan here any more. */
  leave(delivery: Delivery): void {
    this.#forgetPatience(delivery);
    this.#admission.leave(delivery);
    this.#options.guard.release(delivery);
  }

  /** Asks the task of `delivery` to end, because others may run it. That its lease ran out while this process lives is no crash, whatever becomes of it here. */
  lost(delivery: Delivery): void {
    if (this.#admission.waiting.includes(delivery)) this.leave(delivery);
    this.#lost.add(delivery);
    void this.overtaken(delivery);
    this.#options.onChange();
    this.#running.get(delivery)?.stop.request(new Error("the lease of this task was lost: others may run it, or have ended it"));
  }

  /** Whether it was told that the lease of `delivery` was lost. */
  wasLost(delivery: Delivery): boolean {
    return this.#lost.has(delivery);
  }

  /** Counts that the run of a delivery whose lease was lost has ended, and was no crash, unless `outcome` says that it was one. Never rejects. */
  async overtaken(delivery: Delivery, outcome?: Outcome): Promise<void> {
    const { consumer, executor, trouble, onChange } = this.#options;
    if (executor.isCrash(delivery, outcome)) return;
    this.#ends++;
    try {
      await consumer.end(delivery);
    } catch (error) {
      if (!this.#closed) trouble.warn("the end of a task was not counted", error);
    } finally {
      this.#ends--;
      onChange();
    }
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
      this.#drop(delivery);
    } else if (!this.#admission.waiting.includes(delivery)) return;
    this.#admission.leave(delivery);
    this.#options.onEnded(this.#options.executor.revoke(delivery, reason, running?.startedAt));
  }

  /**
   * Settles what is here after an exception that nobody caught. What `culprit` runs counts as a crash; without a culprit that goes for all that runs. All else goes back into
   * its queue, but for what must not run twice. If the culprit does not run, what runs is left alone. Gives how many crashes it counted.
   */
  crashed(culprit: Culprit | undefined, reason: string): number {
    const { executor } = this.#options;
    this.#putBackWaiting(reason);
    const crashed = [...this.#running.values()].filter((one) => one.begun && (culprit === undefined || isOf(culprit, one)));
    if (crashed.length === 0) return 0;
    for (const one of crashed) this.#letGo(one, executor.crash(one, reason), reason);
    for (const one of this.#running.values()) {
      if (!executor.startedOnce(one.delivery)) this.#letGo(one, executor.putBack(one.delivery, reason), reason);
    }
    return crashed.length;
  }

  /** Asks all tasks to end, and puts them back into their queues. */
  putBackAll(reason: string): void {
    this.#putBackWaiting(reason);
    for (const one of this.#running.values()) this.#letGo(one, this.#options.executor.abandon(one, reason), reason);
  }

  /** Stops logging errors, and helping tasks that wait. */
  close(): void {
    this.#closed = true;
    for (const delivery of this.#patience.keys()) this.#forgetPatience(delivery);
    this.#lent.close();
  }

  /** One that has waited to run alone goes back for a while: the others are not to wait for it, nor it for them. */
  #giveUp(delivery: Delivery): void {
    this.#patience.delete(delivery);
    if (!this.#admission.waiting.includes(delivery)) return;
    this.#admission.leave(delivery);
    const reason = "it may kill its process, and is to run alone, but other tasks run here";
    this.#options.onEnded(this.#options.executor.putBack(delivery, reason, aloneWithin.pause));
  }

  #forgetPatience(delivery: Delivery): void {
    if (this.#patience.size === 0) return;
    clearTimeout(this.#patience.get(delivery));
    this.#patience.delete(delivery);
  }

  #run(delivery: Delivery): void {
    this.#forgetPatience(delivery);
    const running = this.#options.executor.start(delivery);
    this.#running.set(delivery, running);
    void running.ended.then((settlement) => {
      const isOurs = this.#drop(delivery);
      this.#admission.ended(delivery);
      // It was let go: what the task came to after that is nobody's.
      if (!isOurs) return;
      // A task that fails because it was asked to end is for whoever has its message now. A success counts.
      const counts = !this.#lost.has(delivery) || settlement?.outcome.type === "succeeded";
      if (settlement !== undefined && counts) return this.#options.onEnded(settlement);
      this.leave(delivery);
      if (!this.#lost.has(delivery)) void this.overtaken(delivery, settlement?.outcome);
      this.#options.onChange();
    });
  }

  /** It runs no more. Gives whether it did. */
  #drop(delivery: Delivery): boolean {
    this.#lent.end(delivery);
    return this.#running.delete(delivery);
  }

  #putBackWaiting(reason: string): void {
    for (const delivery of this.#admission.withdraw()) this.#withdrawn(delivery, reason);
  }

  #withdrawn(delivery: Delivery, reason: string): void {
    this.#forgetPatience(delivery);
    this.#options.onEnded(this.#options.executor.putBack(delivery, reason));
  }

  /** Asks what still runs to end, and settles it: what it comes to after that is nobody's. */
  #letGo({ delivery, stop }: Running, settlement: Settlement, reason: string): void {
    this.#drop(delivery);
    stop.request(new Error(reason));
    this.#options.onEnded(settlement);
  }
}

function isOf({ id, queue }: Culprit, { delivery }: Running): boolean {
  return delivery.id === id && delivery.queue === queue;
}
