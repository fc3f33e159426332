import type { Delivery, Settlement } from "@bullrush/broker";
import type { Running } from "../execution/running.js";
import { Stop } from "../execution/stop.js";
import type { TaskSlot } from "./task-slot.js";

/**
 * How far a delivery is.
 *
 * - `taken`: it is on loan here, and has not been looked at.
 * - `waiting`: it begins as soon as it may; one that may crash waits until it can run alone.
 * - `running`: its task runs.
 * - `ended`: its outcome is known.
 * - `storing`: its result is stored ahead, or in line for that.
 * - `settling`: it is in a call that settles it, or in line for one.
 * - `settled`, `lost`: nothing is left to do here; a lost one belongs to another worker, or will.
 */
export type DeliveryState = "taken" | "waiting" | "running" | "ended" | "storing" | "settling" | "settled" | "lost";

/** Which state may follow upon which. */
const transitions: Readonly<Record<DeliveryState, readonly DeliveryState[]>> = {
  taken: ["waiting", "ended"],
  waiting: ["running", "ended", "lost"],
  running: ["ended", "lost"],
  ended: ["settling", "storing", "lost"],
  storing: ["settling", "ended"],
  settling: ["settled", "ended", "lost"],
  settled: [],
  lost: [],
};

/** Hears of each change of a delivery, at once. */
export interface DeliveryObserver {
  moved(tracked: TrackedDelivery, from: DeliveryState): void;
  /** Its slot was lent, or regained. */
  lentChanged(isLent: boolean): void;
}

/** One delivery on loan to this worker, from its take to its settlement: all that the worker knows of it. */
export class TrackedDelivery implements Running {
  readonly delivery: Delivery;
  readonly stop = new Stop();
  readonly #observer: DeliveryObserver;
  #state: DeliveryState = "taken";
  #isLent = false;
  startedAt: number | undefined = undefined;
  begun = false;
  startedOnce = false;
  /** Whether it has been `running`. */
  hasRun = false;
  /** Whether its lease was lost here: its end counts only if it succeeds, and if no other run has ended the task. */
  leaseLost = false;
  /** How its task waits, or has waited, for others; absent for most. */
  slot: TaskSlot | undefined = undefined;
  /** Fires when it has waited for too long; only while it is `waiting`. */
  patience: NodeJS.Timeout | undefined = undefined;
  #settlement: Settlement | undefined = undefined;
  /** Whether its settlement went out before, and may have been applied. */
  isRepeated = false;
  /** Whether its settlement goes into a call by itself, so that it holds up no others. */
  isApart = false;
  /** How often its settlement was refused for what it is itself. */
  refusals = 0;
  /** Whether its settlement stands in the place of one that was refused too often. */
  isGivenUp = false;

  constructor(delivery: Delivery, observer: DeliveryObserver) {
    this.delivery = delivery;
    this.#observer = observer;
  }

  get state(): DeliveryState {
    return this.#state;
  }

  get isOpen(): boolean {
    return this.#state === "running";
  }

  /** Whether its task has not come to anything yet, and its lease is not known to be lost. */
  get isKept(): boolean {
    return !this.leaseLost && (this.#state === "running" || this.#state === "waiting");
  }

  /** Whether other tasks have its slot while its task waits for them. */
  get isLent(): boolean {
    return this.#isLent;
  }

  set isLent(isLent: boolean) {
    if (this.#isLent === isLent) return;
    this.#isLent = isLent;
    this.#observer.lentChanged(isLent);
  }

  /** What settles it. Throws before it has ended. */
  get settlement(): Settlement {
    if (this.#settlement === undefined) throw new Error(`a delivery that is ${this.#state} has no settlement`);
    return this.#settlement;
  }

  /** Changes its state. Throws when the present one does not lead there. */
  to(state: DeliveryState): void {
    const from = this.#state;
    if (!transitions[from].includes(state)) throw new Error(`a delivery that is ${from} cannot become ${state}`);
    this.#state = state;
    if (state === "running") this.hasRun = true;
    if (from === "waiting" && this.patience !== undefined) this.#forgetPatience();
    this.#observer.moved(this, from);
  }

  /** It has come to what `settlement` says, whatever its task goes on to do. */
  end(settlement: Settlement): void {
    this.to("ended");
    this.#settlement = settlement;
  }

  /** `settlement` settles it, because its own was refused too often. */
  endInstead(settlement: Settlement): void {
    this.#settlement = settlement;
    this.isGivenUp = true;
    this.isRepeated = false;
    this.isApart = true;
    this.refusals = 0;
  }

  #forgetPatience(): void {
    clearTimeout(this.patience);
    this.patience = undefined;
  }
}
