import { failureReason, toFailure, type Clock } from "@bullrush/broker";
import type { Log } from "@bullrush/client";
import { redact } from "./redact.js";

/** Minimum time between two equal lines, in ms. */
const quietFor = 10_000;

/**
 * Logs lines about an outage, without passwords. Each line is written at most once in 10 s, with
 * the number of repetitions that were left out.
 */
export class ThrottledLog {
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #lines = new Map<string, { at: number; left: number }>();

  constructor(log: Log, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  warn(text: string, cause: unknown): void {
    const reason = redact(typeof cause === "string" ? cause : failureReason(toFailure(cause)));
    const now = this.#clock.now();
    const line = this.#lines.get(text);
    if (line !== undefined && now - line.at < quietFor) {
      line.left++;
      return;
    }
    this.#lines.set(text, { at: now, left: 0 });
    this.#log.warn({ reason, ...(line !== undefined && line.left > 0 && { repeated: line.left }) }, text);
  }
}
