import type { Clock, Delivery } from "@bullrush/broker";
import type { AwaitedTasks, Loan } from "@bullrush/client";
import type { LendingExecution, SlotLender } from "../execution/slot-lender.js";
import type { DeliveryTable } from "./delivery-table.js";
import type { Promotion } from "./promotion.js";
import { TaskSlot, type Poll, type Wait } from "./task-slot.js";
import type { TrackedDelivery } from "./tracked-delivery.js";

export interface LentSlotsOptions {
  readonly clock: Clock;
  readonly table: Pick<DeliveryTable, "get" | "all" | "lent">;
  readonly onLent: (delivery: Delivery) => void;
  /** Hears that a task waits for a slot that is free: `grant` is to be called. */
  readonly onDue: () => void;
  /** What lends the slots beyond the bound. `lend` is for it to call. */
  readonly openPromotion: (lend: (slot: TaskSlot) => void) => Promotion;
}

/** How many slots are lent at once before those who wait have to be helped. */
export const mostLent = 1000;

/** After which number of looks in a row a task that polls counts as waiting, and how long after its last look it does no more, in ms. */
const polling = { looks: 2, pause: 5000 };

/** The slots of tasks that wait for results, lent to other tasks meanwhile and regained first come, first served. */
export class LentSlots implements SlotLender {
  readonly #options: LentSlotsOptions;
  /** Those that wait for a slot, in the order in which they asked for it. */
  readonly #due = new Set<TaskSlot>();
  readonly #promotion: Promotion;
  #regainedAt = 0;

  constructor(options: LentSlotsOptions) {
    this.#options = options;
    this.#promotion = options.openPromotion((slot) => this.#give(slot));
  }

  /** How many tasks could go on if a slot were free. */
  get due(): number {
    return this.#due.size;
  }

  /** When a task last got back its slot, in ms since the epoch; 0: none has. */
  get regainedAt(): number {
    return this.#regainedAt;
  }

  /** Whether a task whose slot is lent waits for the task with this id. */
  awaits(id: string): boolean {
    for (const { slot } of this.#options.table.all()) {
      if (slot?.state === "lent" && slot.awaited().some((one) => one.id === id)) return true;
    }
    return false;
  }

  wait(execution: LendingExecution, awaited: AwaitedTasks): Loan | undefined {
    const slot = this.#slotOf(execution);
    return slot && this.#wait(slot, awaited);
  }

  poll(execution: LendingExecution, id: string, ended: boolean, awaited: AwaitedTasks): Promise<void> | undefined {
    if (ended) {
      const slot = this.#options.table.get(execution.delivery)?.slot;
      if (slot?.polls.delete(id) !== true) return undefined;
      const poll = this.#endPolling(slot);
      return poll && this.#regain(slot, poll.wait);
    }
    const slot = this.#slotOf(execution);
    if (slot === undefined) return undefined;
    const now = this.#options.clock.now();
    if (now - slot.polledAt > polling.pause) slot.polls.clear();
    slot.polledAt = now;
    const looks = (slot.polls.get(id) ?? 0) + 1;
    slot.polls.set(id, looks);
    if (slot.poll !== undefined) slot.poll.timer.refresh();
    else if (looks >= polling.looks) this.#beginPolling(slot, awaited);
    return undefined;
  }

  /** Gives up to `free` slots back to the tasks that have waited longest for one. */
  grant(free: number): void {
    let left = free;
    for (const slot of this.#due) {
      if (left-- <= 0) return;
      this.#takeBack(slot);
    }
  }

  /** The task has ended, or is nobody's any more: it needs no slot. */
  end(tracked: TrackedDelivery): void {
    const { slot } = tracked;
    if (slot === undefined) return;
    tracked.slot = undefined;
    this.#endPolling(slot);
    slot.waits.clear();
    this.#promotion.remove(slot);
    this.#takeBack(slot);
  }

  /** Stops helping those beyond the bound. */
  close(): void {
    this.#promotion.close();
  }

  #slotOf({ delivery, stop }: LendingExecution): TaskSlot | undefined {
    const tracked = this.#options.table.get(delivery);
    if (tracked === undefined || tracked.state !== "running") return undefined;
    if (tracked.slot !== undefined) return tracked.slot;
    const slot = new TaskSlot(tracked, stop);
    tracked.slot = slot;
    // What is to end is not to wait for a slot; it goes on beside those who have them.
    stop.onRequest(() => slot.state === "due" && this.#takeBack(slot));
    return slot;
  }

  #wait(slot: TaskSlot, awaited: AwaitedTasks): Loan {
    const wait: Wait = { awaited };
    slot.waits.add(wait);
    this.#lend(slot);
    const regain = () => {
      // It goes on, and so does not poll any more, until it looks again.
      const poll = this.#endPolling(slot);
      if (poll !== undefined) slot.waits.delete(poll.wait);
      return this.#regain(slot, wait);
    };
    return { regain };
  }

  #lend(slot: TaskSlot): void {
    if (slot.state !== "held" || slot.waits.size === 0) return;
    if (this.#options.table.lent < mostLent) this.#give(slot);
    else this.#promotion.add(slot);
  }

  #give(slot: TaskSlot): void {
    slot.lend();
    this.#options.onLent(slot.delivery);
  }

  #regain(slot: TaskSlot, wait: Wait): Promise<void> {
    slot.waits.delete(wait);
    if (slot.waits.size === 0) this.#promotion.remove(slot);
    if (slot.state === "lent" && slot.stop.requested) this.#takeBack(slot);
    if (slot.state === "held") return Promise.resolve();
    slot.ask();
    this.#due.add(slot);
    this.#options.onDue();
    return slot.regained();
  }

  /** Ends the loan at once, whether or not a slot is free. */
  #takeBack(slot: TaskSlot): void {
    if (slot.state === "held") return;
    this.#due.delete(slot);
    slot.hold();
    this.#regainedAt = this.#options.clock.now();
    const next = this.#options.table.lent < mostLent ? this.#promotion.next() : undefined;
    if (next !== undefined) this.#give(next);
    // It waits for other results still. First it does what it wants to do with this one.
    if (slot.waits.size > 0) setImmediate(() => this.#lend(slot));
  }

  #beginPolling(slot: TaskSlot, awaited: AwaitedTasks): void {
    const wait: Wait = { awaited };
    slot.waits.add(wait);
    this.#lend(slot);
    const stopped = () => {
      slot.poll = undefined;
      slot.waits.delete(wait);
      if (slot.waits.size > 0) return;
      this.#promotion.remove(slot);
      if (slot.state === "lent") this.#takeBack(slot);
    };
    slot.poll = { wait, timer: setTimeout(stopped, polling.pause).unref() };
  }

  #endPolling(slot: TaskSlot): Poll | undefined {
    const { poll } = slot;
    clearTimeout(poll?.timer);
    slot.poll = undefined;
    return poll;
  }
}
