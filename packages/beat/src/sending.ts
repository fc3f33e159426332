import { BullrushError, type Advance, type Advanced, type CatchUp, type StoredEntry, type Tick } from "@bullrush/broker";
import type { App } from "@bullrush/client";
import { redact } from "@bullrush/client/program";
import type { Logger } from "pino";
import type { Timetables } from "./entry.js";
import type { Metrics } from "./metrics.js";
import { planOf, type Plan } from "./scheduler.js";

export interface SendingOptions {
  readonly app: Pick<App, "tickOf">;
  readonly timetables: Timetables;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** From 0 to below 1. */
  readonly random: () => number;
}

/** What is to be done with an entry, and what is to be said of it when it is done. */
export interface Step {
  readonly advance: Advance;
  readonly plan: Plan;
  readonly entry: StoredEntry;
}

/** Makes of entries what is to be sent, and says what was. */
export class Sending {
  readonly #options: SendingOptions;

  constructor(options: SendingOptions) {
    this.#options = options;
  }

  /**
   * What is to be done with an entry at `now`. `undefined` if it cannot be computed, which is logged. A tick that cannot be sent is logged,
   * and left out.
   */
  step(entry: StoredEntry, now: number): Step | undefined {
    const { name, version, due } = entry;
    const plan = this.#plan(entry, now);
    if (plan === undefined) return undefined;
    const ticks = plan.dues.flatMap((time) => this.#tick(entry, time));
    return { advance: { name, version, due, ticks, ...(plan.next !== undefined && { next: plan.next }) }, plan, entry };
  }

  /**
   * Hears what has become of a step at `now`. Gives whether its entry went on, or was changed by others; if not, why not has been logged.
   */
  done({ advance, plan: { missed }, entry }: Step, advanced: Exclude<Advanced, "deposed">, now: number): boolean {
    const { log, metrics } = this.#options;
    const { name, call } = entry;
    if (advanced === "changed") return true;
    if (advanced instanceof BullrushError) {
      this.#failed(name, advanced, "the entry does not tick");
      return false;
    }
    const catchUp: CatchUp = call.catchUp ?? "latest";
    if (missed !== undefined) {
      log.warn({ entry: name, missed: missed.count, ...(missed.more && { more: true }), catchUp, sent: missed.sent }, "missed");
    }
    for (const { due, messages } of advance.ticks.slice(0, advanced.sent)) {
      const [{ queue, message }] = messages;
      const late = now - due;
      metrics.sent(late);
      log.info({ entry: name, task: call.task, id: message.id, queue, due: new Date(due).toISOString(), late: Math.round(late) }, "sent");
    }
    if (advanced.overlapped > 0) log.info({ entry: name, task: call.task, ticks: advanced.overlapped, after: entry.last?.id }, "overlap");
    return true;
  }

  #plan(entry: StoredEntry, now: number): Plan | undefined {
    try {
      return planOf(entry, this.#options.timetables.of(entry), now);
    } catch (error) {
      this.#failed(entry.name, error, "it cannot be said when the entry is due");
      return undefined;
    }
  }

  #tick({ name, version, call }: StoredEntry, due: number): Tick | readonly [] {
    const { app, random } = this.#options;
    try {
      const jitter = Math.floor(random() * (call.jitter ?? 0));
      return { due, messages: app.tickOf({ name, version, call, due, jitter }), skipIfUnfinished: call.overlap === "skip" };
    } catch (error) {
      this.#failed(name, error, "the tick cannot be sent", due);
      return [];
    }
  }

  #failed(entry: string, error: unknown, what: string, due?: number): void {
    const reason = redact(error instanceof Error ? error.message : String(error));
    this.#options.log.error({ entry, reason, ...(due !== undefined && { due: new Date(due).toISOString() }) }, what);
  }
}
