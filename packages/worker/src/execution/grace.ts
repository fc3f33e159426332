import type { BullrushError, Clock, Delivery, Outcome } from "@bullrush/broker";
import type { Logger } from "pino";

export interface GraceOptions {
  /** How long such messages are put back before they fail, in ms. */
  readonly grace: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Shortest and longest time for which a message is put back, in ms. */
const pauses = { shortest: 1000, longest: 10_000 };

/** A line about the same task is written at most once in this time, in ms. */
const quietFor = 60_000;

/** Puts back messages that this worker does not know, for others that may: during a deploy there are old workers and new ones. */
export class Grace {
  readonly #options: GraceOptions;
  /** When a line about a task was written, and how many were left out since. */
  readonly #lines = new Map<string, { readonly at: number; left: number }>();

  constructor(options: GraceOptions) {
    this.#options = options;
  }

  /**
   * What puts back a message of `task` because of `error`: for as long again as it has been unknown, at most until it expires. `undefined` when it has been unknown for too long.
   */
  outcomeOf({ unknownSince, queue }: Delivery, task: string, error: BullrushError, expires = Infinity): Outcome | undefined {
    const { grace, clock } = this.#options;
    const now = clock.now();
    const since = unknownSince ?? now;
    if (now - since >= grace) return undefined;
    this.#tell(task, queue, error, now);
    const pause = Math.min(Math.max(now - since, pauses.shortest), pauses.longest);
    return { type: "requeued", reason: error.message, eta: Math.min(now + pause, since + grace, expires), unknownSince: since };
  }

  #tell(task: string, queue: string, { code, message }: BullrushError, now: number): void {
    const line = this.#lines.get(task);
    if (line !== undefined && now - line.at < quietFor) {
      line.left++;
      return;
    }
    this.#lines.set(task, { at: now, left: 0 });
    const repeated = line !== undefined && line.left > 0 && { repeated: line.left };
    this.#options.log.warn(
      { task, queue, code, reason: message, grace: this.#options.grace, ...repeated },
      "put back for workers that may know it",
    );
  }
}
