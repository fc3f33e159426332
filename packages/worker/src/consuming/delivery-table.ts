import type { Delivery } from "@bullrush/broker";
import type { LoopGuard } from "../guard/loop-guard.js";
import { TrackedDelivery, type DeliveryObserver, type DeliveryState } from "./tracked-delivery.js";

/**
 * All deliveries on loan to this worker. What has a slot, what is on loan, what is to be stored and what is to be settled is
 * read here. The counters are kept at each change, so reading one costs nothing, however many deliveries there are.
 */
export class DeliveryTable implements DeliveryObserver {
  readonly #guard: Pick<LoopGuard, "hold" | "release">;
  readonly #tracked = new Map<Delivery, TrackedDelivery>();
  readonly #counts: Record<DeliveryState, number> = {
    taken: 0,
    waiting: 0,
    running: 0,
    ended: 0,
    storing: 0,
    settling: 0,
    settled: 0,
    lost: 0,
  };
  #begun = 0;
  #lent = 0;

  /** @param guard is told what is on loan here */
  constructor(guard: Pick<LoopGuard, "hold" | "release">) {
    this.#guard = guard;
  }

  /** These are on loan here from now on. */
  take(deliveries: readonly Delivery[]): readonly TrackedDelivery[] {
    this.#guard.hold(deliveries);
    return deliveries.map((delivery) => {
      const tracked = new TrackedDelivery(delivery, this);
      this.#tracked.set(delivery, tracked);
      this.#counts.taken++;
      return tracked;
    });
  }

  /** `undefined` for one that is settled or lost, or was never taken here. */
  get(delivery: Delivery): TrackedDelivery | undefined {
    return this.#tracked.get(delivery);
  }

  /** How many are on loan here. */
  get size(): number {
    return this.#tracked.size;
  }

  /** How many run. */
  get running(): number {
    return this.#counts.running;
  }

  /** How many wait to run alone. */
  get waiting(): number {
    return this.#counts.waiting;
  }

  /** How many have ended and are not settled. */
  get unsettled(): number {
    return this.#counts.ended + this.#counts.storing + this.#counts.settling;
  }

  /** How many have begun to run and are not settled, those included whose slots are lent. */
  get begun(): number {
    return this.#begun;
  }

  /** How many slots are lent to other tasks. */
  get lent(): number {
    return this.#lent;
  }

  /** How many slots are in use: a task that waits to run alone keeps one, a task that waits for others lends its own. */
  get slotsInUse(): number {
    return this.#counts.running - this.#lent + this.#counts.waiting;
  }

  /** All of them, in the order in which they were taken. */
  all(): Iterable<TrackedDelivery> {
    return this.#tracked.values();
  }

  /** Those in a state, in the order in which they were taken. */
  in(state: DeliveryState): readonly TrackedDelivery[] {
    return [...this.#tracked.values()].filter((tracked) => tracked.state === state);
  }

  /** What is on loan here. */
  deliveries(): readonly Delivery[] {
    return [...this.#tracked.keys()];
  }

  moved(tracked: TrackedDelivery, from: DeliveryState): void {
    const { state, delivery } = tracked;
    this.#counts[from]--;
    if (state === "running") this.#begun++;
    if (state !== "settled" && state !== "lost") {
      this.#counts[state]++;
      return;
    }
    if (tracked.hasRun) this.#begun--;
    this.#tracked.delete(delivery);
    this.#guard.release(delivery);
  }

  lentChanged(isLent: boolean): void {
    this.#lent += isLent ? 1 : -1;
  }
}
