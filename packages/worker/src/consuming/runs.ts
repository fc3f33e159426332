import type { Clock, Consumer, Delivery, Revocation, Settlement } from "@bullrush/broker";
import type { ThrottledLog } from "@bullrush/program";
import type { Logger } from "pino";
import type { Executor } from "../execution/executor.js";
import { revokedError } from "../execution/revoked.js";
import type { SlotLender } from "../execution/slot-lender.js";
import type { TellEnd } from "../middleware/hook-events.js";
import { Admission } from "./admission.js";
import type { DeliveryTable } from "./delivery-table.js";
import { LentSlots } from "./lent-slots.js";
import { LostEnds } from "./lost-ends.js";
import { Promotion } from "./promotion.js";
import type { TrackedDelivery } from "./tracked-delivery.js";

export interface RunsOptions {
  readonly consumer: Pick<Consumer, "end" | "promote">;
  readonly executor: Executor;
  readonly table: DeliveryTable;
  readonly clock: Clock;
  readonly log: Logger;
  readonly trouble: ThrottledLog;
  /** Tells hooks how a delivery ended. `undefined`: no hook wants to hear of it. */
  readonly tellEnd: () => TellEnd | undefined;
  /** Hears of each delivery that has ended, and is to be settled. */
  readonly onEnded: (tracked: TrackedDelivery) => void;
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

/** Brings each delivery of the table from `taken` to `ended`: lets it begin, asks it to end, and hears what it came to. */
export class Runs {
  readonly #options: RunsOptions;
  readonly #admission: Admission;
  readonly #lent: LentSlots;
  readonly #lostEnds: LostEnds;

  constructor(options: RunsOptions) {
    const { consumer, executor, table, clock, trouble, log, onChange } = options;
    this.#options = options;
    this.#lostEnds = new LostEnds({ consumer, trouble, onCounted: onChange });
    this.#admission = new Admission({
      table,
      isRisky: (delivery) => executor.isRisky(delivery),
      isAwaited: ({ id }) => this.#lent.awaits(id),
      start: (tracked) => this.#run(tracked),
    });
    this.#lent = new LentSlots({
      clock,
      table,
      onLent: (delivery) => {
        this.#admission.freed(delivery);
        onChange();
      },
      onDue: onChange,
      openPromotion: (lend) => {
        const onTrouble = (error: unknown) => trouble.warn("nothing was moved to the front of its queue", error);
        const here = () => new Set(table.in("running").map(({ delivery }) => delivery.id));
        return new Promotion({ consumer, clock, log, onTrouble, here, lend });
      },
    });
  }

  /** How many tasks could go on after a wait if a slot were free. */
  get slotsDue(): number {
    return this.#lent.due;
  }

  /** Whether nothing more should be taken: what came would have to wait. */
  get full(): boolean {
    return this.#admission.closed;
  }

  /** Whether nothing runs or waits to, and nothing is being told of what did. */
  get quiet(): boolean {
    const { running, waiting } = this.#options.table;
    return running === 0 && waiting === 0 && this.#lostEnds.pending === 0;
  }

  /** What lends the slots of the tasks that run here while they wait for others. */
  get lender(): SlotLender {
    return this.#lent;
  }

  /** When a task last got back a slot that it had lent, in ms since the epoch; 0: none has. */
  get regainedAt(): number {
    return this.#lent.regainedAt;
  }

  /** Begins to run it, or has it wait to run alone. Nothing is taken meanwhile, so it does not wait for long. */
  begin(tracked: TrackedDelivery): void {
    this.#admission.enter(tracked);
    if (tracked.state === "waiting") tracked.patience = setTimeout(() => this.#giveUp(tracked), aloneWithin.wait);
  }

  /** Gives up to `free` slots back to the tasks that have waited longest for one. */
  grant(free: number): void {
    this.#lent.grant(free);
  }

  /** It has come to what `settlement` says. */
  end(tracked: TrackedDelivery, settlement: Settlement): void {
    this.#lent.end(tracked);
    tracked.end(settlement);
    this.#admission.freed(tracked.delivery);
    // Whether the end of a lost one counts is known when it is settled.
    if (!tracked.leaseLost) this.#tellEnd(tracked);
    this.#options.onEnded(tracked);
  }

  /** Puts it back into its queue, to be taken again after `pause` ms. */
  putBack(tracked: TrackedDelivery, reason: string, pause = 0): void {
    this.end(tracked, this.#options.executor.settler.putBack(tracked.delivery, reason, pause));
  }

  /** Another settlement takes the place of its own, which was refused too often. Hooks may have been told of its own end before. */
  endInstead(tracked: TrackedDelivery, settlement: Settlement): void {
    tracked.endInstead(settlement);
    if (!tracked.leaseLost) this.#tellEnd(tracked);
  }

  /** Nothing is left to do for it here. */
  leave(tracked: TrackedDelivery, state: "settled" | "lost"): void {
    tracked.to(state);
    this.#admission.freed(tracked.delivery);
    if (state === "settled" && tracked.leaseLost) this.#tellEnd(tracked);
  }

  /** Its settlement came too late: another run has ended the task, or will. */
  overtaken(tracked: TrackedDelivery): void {
    this.leave(tracked, "lost");
    void this.#lostEnds.count(tracked, tracked.settlement.outcome);
  }

  /** Asks the task of `delivery` to end, because others may run it. That its lease ran out while this process lives is no crash, whatever becomes of it here. */
  lost(delivery: Delivery): void {
    const tracked = this.#options.table.get(delivery);
    if (tracked === undefined || !tracked.isKept) return;
    tracked.leaseLost = true;
    void this.#lostEnds.count(tracked);
    if (tracked.state === "waiting") this.#drop(tracked);
    else tracked.stop.request(new Error("the lease of this task was lost: others may run it, or have ended it"));
    this.#options.onChange();
  }

  /**
   * Asks the task of `delivery` to end, because it was revoked; with `terminate` its runner is killed, and its slot is free at once,
   * whatever a function goes on to do that is inline. One that waits to run alone does not begin; one that has ended stays as it is.
   */
  revoked(delivery: Delivery, { reason, terminate }: Revocation): void {
    const tracked = this.#options.table.get(delivery);
    if (tracked === undefined) return;
    if (tracked.state === "running") {
      const error = revokedError(delivery, reason);
      // It is said at each renewal anew.
      if (!terminate) return tracked.stop.request(error);
      tracked.stop.kill(error);
    } else if (tracked.state !== "waiting") return;
    this.end(tracked, this.#options.executor.settler.revoke(tracked, reason));
  }

  /**
   * Settles what is here after an exception that nobody caught. What `culprit` runs counts as a crash; without a culprit that goes for all that runs. All else goes back into
   * its queue, but for what must not run twice. If the culprit does not run, what runs is left alone. Returns how many crashes it counted.
   */
  crashed(culprit: Culprit | undefined, reason: string): number {
    const { executor, table } = this.#options;
    this.#putBackWaiting(reason);
    const crashed = table.in("running").filter((one) => one.begun && (culprit === undefined || isOf(culprit, one)));
    if (crashed.length === 0) return 0;
    for (const one of crashed) this.#letGo(one, executor.settler.crash(one, reason), reason);
    for (const one of table.in("running")) {
      if (!one.startedOnce) this.#letGo(one, executor.settler.putBack(one.delivery, reason), reason);
    }
    return crashed.length;
  }

  /** Asks all tasks to end, and puts them back into their queues. */
  putBackAll(reason: string): void {
    this.#putBackWaiting(reason);
    for (const one of this.#options.table.in("running")) this.#letGo(one, this.#options.executor.settler.abandon(one, reason), reason);
  }

  /** Stops logging errors, and helping tasks that wait. */
  close(): void {
    this.#lostEnds.close();
    for (const { patience } of this.#options.table.in("waiting")) clearTimeout(patience);
    this.#lent.close();
  }

  #run(tracked: TrackedDelivery): void {
    tracked.to("running");
    void this.#options.executor.run(tracked).then((settlement) => this.#ended(tracked, settlement));
  }

  /** Its function has ended. It may have been killed or put back before: then this counts for nothing. */
  #ended(tracked: TrackedDelivery, settlement: Settlement | undefined): void {
    if (!tracked.isOpen) return;
    // A task that fails because it was asked to end is for whoever has its message now. A success counts.
    const counts = !tracked.leaseLost || settlement?.outcome.type === "succeeded";
    if (settlement !== undefined && counts) return this.end(tracked, settlement);
    const isKept = !tracked.leaseLost;
    this.#drop(tracked);
    if (isKept) void this.#lostEnds.count(tracked, settlement?.outcome);
    this.#options.onChange();
  }

  /** It came to nothing here, and is somebody else's. */
  #drop(tracked: TrackedDelivery): void {
    this.#lent.end(tracked);
    this.leave(tracked, "lost");
  }

  /** What succeeded without running did so before, and hooks were told then. */
  #tellEnd({ delivery, settlement: { outcome }, begun, startedAt }: TrackedDelivery): void {
    if (outcome.type === "succeeded" && !begun) return;
    this.#options.tellEnd()?.(delivery, outcome, startedAt ?? this.#options.clock.now());
  }

  /** One that has waited to run alone goes back for a while: the others are not to wait for it, nor it for them. */
  #giveUp(tracked: TrackedDelivery): void {
    if (tracked.state !== "waiting") return;
    this.putBack(tracked, "it may kill its process, and is to run alone, but other tasks run here", aloneWithin.pause);
  }

  #putBackWaiting(reason: string): void {
    for (const tracked of this.#admission.withdraw()) this.putBack(tracked, reason);
  }

  /** Asks what still runs to end, and settles it: what it comes to after that is nobody's. */
  #letGo(tracked: TrackedDelivery, settlement: Settlement, reason: string): void {
    this.end(tracked, settlement);
    tracked.stop.request(new Error(reason));
  }
}

function isOf({ id, queue }: Culprit, { delivery }: TrackedDelivery): boolean {
  return delivery.id === id && delivery.queue === queue;
}
