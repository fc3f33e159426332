import { readContent, tooLong } from "../bullmq/content.js";
import { from, oneRound } from "../bullmq/turns.js";
import { clip, textLimits } from "../clip.js";
import type { ConsumeOptions } from "../ports/consumer.js";
import type { Delivery } from "../ports/delivery.js";
import { longestMessageOf } from "../protocol/codec.js";
import { crashesOf, type HeldMessage } from "./held-message.js";
import type { MessageQueue } from "./message-queue.js";

/** The order in which a consumer takes from its queues. */
export class TakeOrder {
  readonly #isStrict: boolean;
  /** The names of the queues, by weight. */
  readonly #round: readonly string[];
  #turn = 0;

  constructor({ queues, order }: Pick<ConsumeOptions, "queues" | "order">) {
    const names = queues.map(({ name }) => name);
    this.#isStrict = order === "strict";
    this.#round = this.#isStrict ? names : oneRound(queues).map((index) => names[index] as string);
  }

  /**
   * Calls `take` for the next queue until it has returned `count` messages, or none for each queue.
   * @param open the queue of this name, if something can be taken from it
   */
  take<T>(count: number, open: (name: string) => MessageQueue | undefined, take: (queue: MessageQueue) => T | undefined): readonly T[] {
    const queues = this.#round.flatMap((name) => open(name) ?? []);
    const turns = this.#isStrict ? queues : from(queues, this.#turn);
    this.#turn += count;
    const taken: T[] = [];
    for (let before = -1; before < taken.length && taken.length < count;) {
      before = taken.length;
      for (const queue of turns) {
        do {
          const one = taken.length < count ? take(queue) : undefined;
          if (one === undefined) break;
          taken.push(one);
        } while (this.#isStrict);
      }
    }
    return taken;
  }
}

/**
 * A message that was just taken from `queue`, as its worker gets it: decoded anew from its text.
 */
export function deliveryOf(queue: string, message: HeldMessage, token: string, longest = longestMessageOf(0)): Delivery {
  const { id, task, text, deliveries, endings, revoked, verdict, unknownSince } = message;
  const bytes = Buffer.byteLength(text);
  const marks = { ...(verdict && { verdict }), ...(unknownSince !== undefined && { unknownSince }) };
  return {
    queue,
    id,
    number: deliveries,
    endedBefore: endings,
    crashes: crashesOf(message),
    ...(revoked === undefined ? marks : { revoked: clip(revoked, textLimits.reason) }),
    bytes,
    token,
    content: bytes > longest ? tooLong(bytes, longest) : readContent(id, task, text, null),
  };
}
