import type { Consumer, Outcome } from "@bullrush/broker";
import type { Received } from "../execution/received.js";
import { unasked, type Check, type Requeue } from "./check.js";

export interface StartCountedOptions {
  readonly begin: Consumer["begin"];
  readonly requeue: Requeue;
  /** Leaves a queue alone for a while, in ms. */
  readonly rest: (queue: string, pause: number) => void;
}

/** Counts that a message begins to run that was taken before. One whose start cannot be counted goes back, since its crashes could not be counted either. */
export function startCounted({ begin, requeue, rest }: StartCountedOptions): Check {
  async function count(received: Received): Promise<Outcome | "pass"> {
    const { delivery } = received;
    try {
      if (await begin(delivery)) return "pass";
    } catch {
      rest(delivery.queue, unasked);
    }
    return requeue(received, "its start could not be counted");
  }

  return (received) => (received.delivery.number > 1 ? count(received) : "pass");
}
