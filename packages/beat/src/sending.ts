import { BullrushError, type Advance, type Advanced, type CatchUp, type StoredEntry, type Tick } from "@bullrush/broker";
import type { App } from "@bullrush/client";
import type { Logger } from "pino";
import type { Timetables } from "./entry.js";
import type { Metrics } from "./metrics.js";
import { reasonOf } from "./reason.js";
import { planOf, type Jump, type Plan } from "./scheduler.js";

export interface SendingOptions {
  readonly app: Pick<App, "tickOf">;
  readonly timetables: Timetables;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** A random number from 0 to below 1. */
  readonly random: () => number;
}

/** Maximum size of the messages of one step, unless a single tick is larger. */
const maxCharacters = 256 * 1024;

/** A step for one entry, with what to log when it is done. */
export interface Step {
  readonly advance: Advance;
  readonly plan: Plan;
  readonly entry: StoredEntry;
}

type TickCounts = Exclude<Advanced, string | BullrushError>;

/** Turns entries into steps to send, and logs the results. */
export class Sending {
  readonly #options: SendingOptions;

  constructor(options: SendingOptions) {
    this.#options = options;
  }

  /**
   * Prepares the step of an entry at `now`. Returns `undefined` if the entry cannot be computed or
   * a tick cannot be sent; the error is logged and everything stays due.
   */
  step(entry: StoredEntry, now: number, jump?: Jump): Step | undefined {
    try {
      const { name, version, due } = entry;
      const plan = planOf(entry, this.#options.timetables.of(entry), now, jump);
      const ticks = this.#ticks(entry, plan.dues);
      const next = plan.dues[ticks.length] ?? plan.next;
      return { advance: { name, version, due, ticks, ...(next !== undefined && { next }) }, plan, entry };
    } catch (error) {
      this.failed(entry.name, error);
      return undefined;
    }
  }

  /**
   * Handles the result of a step at `now`. Returns whether the entry advanced or was changed by
   * somebody else; otherwise the reason has been logged.
   */
  done(step: Step, advanced: Exclude<Advanced, "deposed">, now: number): boolean {
    const { name } = step.entry;
    if (advanced === "changed") return true;
    if (advanced instanceof BullrushError) {
      this.failed(name, advanced);
      return false;
    }
    this.#logMissed(step, advanced);
    this.#logSent(step, advanced, now);
    return true;
  }

  /** Logs why an entry does not advance. */
  failed(entry: string, error: unknown): void {
    this.#options.log.error({ entry, reason: reasonOf(error) }, "the entry does not tick");
  }

  #logMissed({ plan: { dues, missed, jumped }, advance: { ticks }, entry: { name, call } }: Step, counts: TickCounts): void {
    const { log } = this.#options;
    if (jumped) log.warn({ entry: name, sent: counts.sent }, "left out what the clock of the server has jumped over");
    if (missed === undefined) return;
    // Missed ticks that did not fit into this step are caught up with later.
    const left = Math.max(0, missed.sent - ticks.length);
    const sent = Math.max(0, Math.min(missed.sent - counts.duplicates, counts.sent));
    const catchUp: CatchUp = call.catchUp ?? "latest";
    const more = missed.more || ticks.length < dues.length;
    log.warn({ entry: name, missed: missed.count - left, ...(more && { more }), catchUp, sent }, "missed");
  }

  #logSent({ advance, entry: { name, call, last } }: Step, { sent, overlapped, duplicates }: TickCounts, now: number): void {
    const { log, metrics } = this.#options;
    // If the step is a repetition, it was sent as a whole before.
    for (const { due, messages } of advance.ticks.slice(duplicates, duplicates + sent)) {
      const [{ queue, message }] = messages;
      const late = now - due;
      metrics.sent(late);
      log.info({ entry: name, task: call.task, id: message.id, queue, due: new Date(due).toISOString(), late: Math.round(late) }, "sent");
    }
    if (overlapped > 0) log.info({ entry: name, task: call.task, ticks: overlapped, after: last?.id }, "overlap");
    if (duplicates > 0) log.warn({ entry: name, task: call.task, ticks: duplicates }, "sent before");
  }

  /** The ticks that were due at `dues`, as many as fit into one step. */
  #ticks({ name, version, call }: StoredEntry, dues: readonly number[]): readonly Tick[] {
    const { app, random } = this.#options;
    const ticks: Tick[] = [];
    let room = maxCharacters;
    for (const due of dues) {
      const jitter = Math.floor(random() * (call.jitter ?? 0));
      const messages = app.tickOf({ name, version, call, due, jitter });
      room -= messages.reduce((sum, { text = "" }) => sum + text.length, 0);
      if (room < 0 && ticks.length > 0) break;
      ticks.push({ due, messages, skipIfUnfinished: call.overlap === "skip" });
    }
    return ticks;
  }
}
