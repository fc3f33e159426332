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
  /** From 0 to below 1. */
  readonly random: () => number;
}

/** Most text of messages in one step, unless a single tick has more. */
const maxCharacters = 256 * 1024;

/** What is to be done with an entry, and what is to be said of it when it is done. */
export interface Step {
  readonly advance: Advance;
  readonly plan: Plan;
  readonly entry: StoredEntry;
}

type TickCounts = Exclude<Advanced, string | BullrushError>;

/** Makes of entries what is to be sent, and says what was. */
export class Sending {
  readonly #options: SendingOptions;

  constructor(options: SendingOptions) {
    this.#options = options;
  }

  /**
   * What is to be done with an entry at `now`. `undefined` if it cannot be computed, or a tick cannot be sent, which is logged: all of it
   * stays due.
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
   * Hears what has become of a step at `now`. Gives whether its entry went on, or was changed by others; if not, why not has been logged.
   */
  done(step: Step, advanced: Exclude<Advanced, "deposed">, now: number): boolean {
    const { name } = step.entry;
    if (advanced === "changed") return true;
    if (advanced instanceof BullrushError) {
      this.failed(name, advanced);
      return false;
    }
    this.#sayMissed(step, advanced);
    this.#saySent(step, advanced, now);
    return true;
  }

  /** Says why an entry does not go on. */
  failed(entry: string, error: unknown): void {
    this.#options.log.error({ entry, reason: reasonOf(error) }, "the entry does not tick");
  }

  #sayMissed({ plan: { dues, missed, jumped }, advance: { ticks }, entry: { name, call } }: Step, counts: TickCounts): void {
    const { log } = this.#options;
    if (jumped) log.warn({ entry: name, sent: counts.sent }, "left out what the clock of the server has jumped over");
    if (missed === undefined) return;
    // What did not go into this step is still to be caught up with.
    const left = Math.max(0, missed.sent - ticks.length);
    const sent = Math.max(0, Math.min(missed.sent - counts.duplicates, counts.sent));
    const catchUp: CatchUp = call.catchUp ?? "latest";
    const more = missed.more || ticks.length < dues.length;
    log.warn({ entry: name, missed: missed.count - left, ...(more && { more }), catchUp, sent }, "missed");
  }

  #saySent({ advance, entry: { name, call, last } }: Step, { sent, overlapped, duplicates }: TickCounts, now: number): void {
    const { log, metrics } = this.#options;
    // What had been sent before was so before all others.
    for (const { due, messages } of advance.ticks.slice(duplicates, duplicates + sent)) {
      const [{ queue, message }] = messages;
      const late = now - due;
      metrics.sent(late);
      log.info({ entry: name, task: call.task, id: message.id, queue, due: new Date(due).toISOString(), late: Math.round(late) }, "sent");
    }
    if (overlapped > 0) log.info({ entry: name, task: call.task, ticks: overlapped, after: last?.id }, "overlap");
    if (duplicates > 0) log.warn({ entry: name, task: call.task, ticks: duplicates }, "sent before");
  }

  /** The ticks that were due at `dues`, as many as go into one step. */
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
