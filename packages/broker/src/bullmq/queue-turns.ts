import type { ConsumeOptions } from "../ports/consumer.js";
import type { QueueAvailability } from "./queue-availability.js";
import { from, oneRound } from "./turns.js";

/** In which order a consumer asks its queues. */
export class QueueTurns {
  readonly order: ConsumeOptions["order"];
  readonly #availability: QueueAvailability;
  /** Indexes of the queues. */
  readonly #round: readonly number[];
  #turn = 0;

  constructor({ queues, order }: Pick<ConsumeOptions, "queues" | "order">, availability: QueueAvailability) {
    this.order = order;
    this.#availability = availability;
    this.#round = order === "strict" ? [...queues.keys()] : oneRound(queues);
  }

  /**
   * Numbers of the queues to ask for `take` messages, in their turn. A negative number asks a queue
   * only if its marker says that there is something. Those come first unless the order is strict,
   * since turns among the others would be lost on queues that are empty.
   */
  next(take: number, now: number): readonly number[] {
    if (take === 0) return [];
    const availability = this.#availability;
    const open = this.#round.filter((index) => !availability.isBackedOff(index, now));
    if (this.order === "strict") return open.map((index) => (availability.mayHold(index, now) ? index + 1 : ifMarked(index)));
    const full = open.filter((index) => availability.mayHold(index, now));
    const empty = [...new Set(open)].filter((index) => !availability.mayHold(index, now));
    const start = this.#turn;
    this.#turn += take;
    return [...empty.map(ifMarked), ...from(full, start).map((index) => index + 1)];
  }
}

function ifMarked(index: number): number {
  return -(index + 1);
}
