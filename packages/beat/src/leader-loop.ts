import { type Advance, type Advanced, type Clock, type Schedules, type StoredEntry, type Term } from "@bullrush/broker";
import type { App } from "@bullrush/client";
import type { ThrottledLog } from "@bullrush/program";
import type { Logger } from "pino";
import { align } from "./align.js";
import type { Timetables } from "./entry.js";
import { OptionEntries } from "./option-entries.js";
import { isOutage } from "./outage.js";
import { reasonOf } from "./reason.js";
import { RestingEntries } from "./resting.js";
import type { Sending, Step } from "./sending.js";
import type { ServerTime } from "./server-time.js";
import type { Sleeper } from "./sleeper.js";
import { sendThroughMiddleware } from "./send-through-middleware.js";

export interface LeaderLoopOptions {
  readonly app: Pick<App, "options" | "layers" | "surroundTicks">;
  readonly store: Schedules;
  readonly sending: Sending;
  readonly timetables: Timetables;
  readonly time: ServerTime;
  /** In ms. */
  readonly maxInterval: number;
  readonly sleeper: Sleeper;
  readonly steady: Clock;
  /**
   * Called with the server's time, in ms since the epoch, and the round trip of the answer, in ms.
   */
  readonly onTime: (now: number, took: number) => void;
  readonly log: Logger;
  readonly throttledLog: ThrottledLog;
}

/** Maximum number of entries, and of ticks, in one batch. */
const batch = { entries: 200, ticks: 2000 };

/** Pause before the next attempt after an outage, in ms. */
const rest = 500;

/** Minimum time between two looks that found nothing to do, in ms. */
const minRest = 10;

/** Maximum age of a plan, in ms. An older plan is computed again. */
const fresh = 1000;

/** Reads the outcome of an `advance` whose reply was lost, without sending anything. */
function asking(advance: Advance): Advance {
  const { name, version, due } = advance;
  return due === undefined ? advance : { name, version, due, ticks: [], next: due };
}

const wasNotDone = (outcome: Advanced) =>
  typeof outcome === "object" && "sent" in outcome && outcome.sent + outcome.overlapped + outcome.duplicates === 0;

/**
 * The leader's loop for one term: finds the ticks that are due, sends them, and sleeps until the
 * next tick.
 */
export class LeaderLoop {
  readonly #options: LeaderLoopOptions;
  readonly #term: Term;
  readonly #entries: OptionEntries;
  readonly #resting = new RestingEntries();
  /** Whether no entry's due time is later than its timetable says. */
  #aligned = false;
  #over = false;
  #checking: Promise<void> | undefined;

  constructor(options: LeaderLoopOptions, term: Term) {
    this.#options = options;
    this.#term = term;
    const entries = options.app.options.beat.map(({ name, call }) => ({ name, call }));
    this.#entries = new OptionEntries(options.store, term, entries);
  }

  /** Ends the loop: it begins no further work. */
  end(): void {
    this.#over = true;
    this.#options.sleeper.wake();
  }

  /** Runs the loop. Resolves when the term is over. Never rejects. */
  async run(): Promise<void> {
    const { sleeper, maxInterval } = this.#options;
    if ((await this.#retry(() => this.#entries.sync(), "entries of the options not stored")) === false) this.end();
    while (!this.#over) {
      const pause = await this.#retry(() => this.#look(), "not looking for what is due");
      await sleeper.sleep(Math.min(pause ?? 0, maxInterval));
    }
  }

  /** Stores again the entries of the options that the broker has lost. Never rejects. */
  check(): Promise<void> {
    return (this.#checking ??= this.#check().finally(() => (this.#checking = undefined)));
  }

  async #check(): Promise<void> {
    const { throttledLog, sleeper } = this.#options;
    try {
      const lost = await this.#entries.check();
      if (lost === 0) return;
      throttledLog.warn("entries of the options stored again", `the broker had lost ${lost} of them`);
      sleeper.wake();
    } catch (error) {
      if (!this.#over) throttledLog.warn("entries of the options not looked for", reasonOf(error));
    }
  }

  /** Sends the ticks that are due. Returns the time until there is more to do, in ms. */
  async #look(): Promise<number> {
    const { store, time, steady, sending } = this.#options;
    if (!this.#aligned) await this.#align();
    const asked = steady.now();
    this.#resting.wake(asked);
    const resting = this.#resting.all();
    const max = batch.entries + resting.length;
    const { now, entries, next = Infinity } = await store.due(Math.floor(time.now()), max, resting);
    // The look did not ask for entries that are due by the new time.
    if (this.#hasJumped(now, asked)) return 0;
    let soonest = entries.length < max ? next : now;
    let ticks = 0;
    /** Whether this look sent or changed anything. */
    let went = false;
    const steps: Step[] = [];
    for (const entry of entries) {
      const restsUntil = this.#resting.until(entry);
      const due = entry.due ?? now;
      if (restsUntil !== undefined) soonest = Math.min(soonest, now + restsUntil - asked);
      // This clock may be behind the server's by the time that answers take.
      else if (due > now || ticks >= batch.ticks) soonest = Math.min(soonest, due);
      else {
        const step = sending.step(entry, now, time.jump);
        went = true;
        if (step === undefined) this.#rest(entry);
        else {
          steps.push(step);
          ticks += step.advance.ticks.length;
          soonest = Math.min(soonest, step.advance.next ?? Infinity);
        }
      }
    }
    if (steps.length > 0 && !(await this.#advance(steps))) soonest = now;
    return Math.max(Math.ceil(soonest - time.now()), went ? 0 : minRest);
  }

  #hasJumped(now: number, asked: number): boolean {
    const { time, steady, log, onTime } = this.#options;
    const jumped = time.update(now, asked);
    onTime(now, steady.now() - asked);
    if (jumped === 0) return false;
    log.warn({ ms: Math.round(jumped) }, "the clock of the server has jumped");
    if (jumped < 0) this.#aligned = false;
    return true;
  }

  /**
   * Sends a batch. Returns `false` if there may be more to do: a step was left out, or somebody
   * changed an entry meanwhile.
   */
  async #advance(steps: readonly Step[]): Promise<boolean> {
    const { app, throttledLog, sleeper, steady } = this.#options;
    // An error of a middleware concerns one entry only.
    if (steps.length > 1 && app.layers.seeSending) return this.#advanceApart(steps);
    const began = steady.now();
    let stale = false;
    while (!this.#over) {
      try {
        // Safe to repeat after a lost reply: the store knows which steps it has done.
        const advanced = await this.#send(steps.map(({ advance }) => (stale ? asking(advance) : advance)));
        return this.#done(steps, advanced, stale);
      } catch (error) {
        if (this.#over) return true;
        if (!isOutage(error)) return this.#advanceApart(steps, error);
        throttledLog.warn("ticks not sent", reasonOf(error));
        await sleeper.sleep(rest);
        stale = steady.now() - began > fresh;
      }
    }
    return true;
  }

  async #send(advances: readonly Advance[]): Promise<readonly Advanced[]> {
    const { app, store } = this.#options;
    const [first] = advances;
    if (first === undefined || !app.layers.seeSending) return store.advance(this.#term, advances);
    return [await sendThroughMiddleware(app, first, async (advance) => (await store.advance(this.#term, [advance]))[0] ?? "deposed")];
  }

  /** Sends the steps one by one, so that a step that fails does not hold up the others. */
  async #advanceApart(steps: readonly Step[], error?: unknown): Promise<boolean> {
    const [step] = steps;
    if (steps.length > 1) {
      let done = true;
      for (const one of steps) done = (await this.#advance([one])) && done;
      return done;
    }
    if (step !== undefined) {
      this.#options.sending.failed(step.entry.name, error);
      this.#rest(step.entry);
    }
    return true;
  }

  #done(steps: readonly Step[], advanced: readonly Advanced[], stale: boolean): boolean {
    const { sending, time } = this.#options;
    const now = time.now();
    let complete = !stale;
    for (const [index, step] of steps.entries()) {
      const outcome = advanced[index] ?? "deposed";
      if (outcome === "deposed") {
        this.end();
        return true;
      }
      if (outcome === "changed") complete = false;
      else if (stale && wasNotDone(outcome)) continue;
      if (!sending.done(step, outcome, now)) this.#rest(step.entry);
    }
    return complete;
  }

  /** Moves entries whose due time is too late after the server's clock went backwards. */
  async #align(): Promise<void> {
    const { store, steady } = this.#options;
    const asked = steady.now();
    const { now } = await store.due(0, 1);
    this.#hasJumped(now, asked);
    await align(this.#options, this.#term, now);
    this.#aligned = true;
  }

  #rest(entry: StoredEntry): void {
    this.#resting.begin(entry, this.#options.steady.now());
  }

  /**
   * Repeats `attempt` until it resolves, and returns its value; `undefined` if the term ends
   * before.
   */
  async #retry<T>(attempt: () => Promise<T>, failed: string): Promise<T | undefined> {
    while (!this.#over) {
      try {
        return await attempt();
      } catch (error) {
        if (this.#over) return undefined;
        this.#options.throttledLog.warn(failed, reasonOf(error));
        await this.#options.sleeper.sleep(rest);
      }
    }
    return undefined;
  }
}
