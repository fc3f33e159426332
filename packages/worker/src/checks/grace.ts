import type { BullrushError, Clock, Delivery, Outcome } from "@bullrush/broker";
import type { Logger } from "pino";

export interface GraceOptions {
  /** How long such messages are put back before they fail, in ms. */
  readonly grace: number;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly log: Logger;
}

/** Shortest and longest time for which a message is put back, in ms. */
const pauses = { shortest: 1000, longest: 10_000 };

/** A line about the same task is written at most once in this time, in ms. */
const quietFor = 60_000;

/** Most names of which lines are written: a producer may think of any number of them. */
const mostNames = 1000;

/** Puts back messages that this worker does not know, for others that may: during a deploy there are old workers and new ones. */
export class Grace {
  readonly #options: GraceOptions;
  /** When a line about a task was written, and how many were left out since. */
  readonly #lines = new Map<string, { readonly at: number; left: number }>();
  /** Queues, and names of plain jobs in them, of which a line was written. */
  readonly #left = new Set<string>();

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
    const eta = Math.min(now + pauseOf(now - since), since + grace, expires);
    return { type: "requeued", reason: error.message, eta, unknownSince: since };
  }

  /**
   * What puts back a job of a plain BullMQ producer that no task here is for: another program's worker may be meant, so it never fails. It is out of the way for as long again as it has been
   * unknown, and up to twice that: whoever is to have them gets them one by one.
   */
  leave({ unknownSince, queue }: Delivery, name: string): Outcome {
    const { clock, random, log } = this.#options;
    const now = clock.now();
    const since = unknownSince ?? now;
    const key = `${queue} ${name}`;
    if (!this.#left.has(key) && this.#left.size < mostNames) {
      this.#left.add(key);
      log.warn({ queue, name }, "put back: a BullMQ job that no task here is for");
    }
    const eta = now + pauseOf(now - since) * (1 + random());
    return { type: "requeued", reason: `no task "${name}" here`, eta, unknownSince: since };
  }

  #tell(task: string, queue: string, { code, message }: BullrushError, now: number): void {
    const line = this.#lines.get(task);
    if (line !== undefined && now - line.at < quietFor) {
      line.left++;
      return;
    }
    if (this.#lines.size >= mostNames && line === undefined) return;
    this.#lines.set(task, { at: now, left: 0 });
    const repeated = line !== undefined && line.left > 0 && { repeated: line.left };
    this.#options.log.warn(
      { task, queue, code, reason: message, grace: this.#options.grace, ...repeated },
      "put back for workers that may know it",
    );
  }
}

/** For how long something is put back that has been unknown for `age` ms. */
function pauseOf(age: number): number {
  return Math.min(Math.max(age, pauses.shortest), pauses.longest);
}
