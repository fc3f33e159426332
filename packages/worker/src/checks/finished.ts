import { isRefused, outcomeOfRecord, type Message, type Outcome, type Results } from "@bullrush/broker";
import type { Logger } from "pino";
import type { Received } from "../execution/received.js";
import { unasked, type Check, type Requeue } from "./check.js";

export interface FinishedOptions {
  readonly results: Pick<Results, "claim">;
  /** Name of the worker. */
  readonly worker: string;
  /** How long claims are kept unless their task says otherwise, in ms. */
  readonly resultExpires: number;
  readonly clock: { now(): number };
  readonly log: Logger;
  readonly requeue: Requeue;
  /** Leaves a queue alone for a while, in ms. */
  readonly rest: (queue: string, pause: number) => void;
}

/** Ends what has a result already. Only a message that was taken before, or may have been sent before, can have one: it claims its number. */
export function finished({ results, worker, resultExpires, clock, log, requeue, rest }: FinishedOptions): Check {
  async function claim(received: Received, message: Message): Promise<Outcome | "pass"> {
    const { delivery, definition } = received;
    const expires = definition?.resultExpires ?? resultExpires;
    try {
      const [answer] = await results.claim([{ id: message.id, delivery: delivery.number, expires, worker, failure: message.lastFailure }]);
      if (answer === "claimed" || answer === undefined) return "pass";
      const facts = { task: message.task, id: message.id, delivery: delivery.number };
      if (answer !== "fenced") {
        log.info({ ...facts, state: answer.state }, "not run: its stored result stands");
        received.toStore = "copies";
        return outcomeOfRecord(answer) ?? { type: "succeeded" };
      }
      // A later delivery has it; or it was purged and sent anew, and its deliveries are counted from 1 again.
      log.info(facts, "not run: a later delivery has claimed it");
      return { type: "requeued", reason: "a later delivery has claimed it", eta: clock.now() + unasked };
    } catch (error) {
      // Its own record may be at fault, and is not to hold up others.
      if (!isRefused(error)) rest(delivery.queue, unasked);
      return requeue(received, error instanceof Error ? error.message : "not claimed", unasked);
    }
  }

  return (received) => {
    const { delivery, message, storesResult } = received;
    if (message === undefined || !storesResult || (delivery.number === 1 && message.resent !== true)) return "pass";
    received.isClaimed = true;
    return claim(received, message);
  };
}
