import type { Advance, Clock, ScheduleStore, Term } from "@bullrush/broker";
import type { App } from "@bullrush/client";
import type { TroubleLog } from "@bullrush/client/program";
import type { Logger } from "pino";
import type { Timetables } from "./entry.js";
import type { Sending, Step } from "./sending.js";
import type { ServerTime } from "./server-time.js";
import type { Sleeper } from "./sleeper.js";

export interface LeadingOptions {
  readonly app: Pick<App, "options">;
  readonly store: ScheduleStore;
  readonly sending: Sending;
  readonly timetables: Timetables;
  readonly time: ServerTime;
  /** In ms. */
  readonly maxInterval: number;
  readonly sleeper: Sleeper;
  readonly steady: Clock;
  /** Hears what time it is at the server, ms since the epoch. */
  readonly onTime: (now: number) => void;
  readonly log: Logger;
  readonly trouble: TroubleLog;
}

/** Entries, and ticks, that are looked at in one go: what is due at once is sent in lots. */
const lot = { entries: 200, ticks: 2000 };

/** Time until it is tried again after an outage, and until an entry is that could not go on, in ms. */
const rest = { outage: 500, entry: 10_000 };

/** Leads during a term: looks what is due, sends it, and sleeps until the next. */
export class Leading {
  readonly #options: LeadingOptions;
  readonly #term: Term;
  /** Entries that could not go on, and when they are tried again, by the steady clock. */
  readonly #resting = new Map<string, number>();
  #over = false;

  constructor(options: LeadingOptions, term: Term) {
    this.#options = options;
    this.#term = term;
  }

  /** Ends it: nothing is begun any more. */
  end(): void {
    this.#over = true;
    this.#options.sleeper.wake();
  }

  /** Resolves when the term is over. Never rejects. */
  async run(): Promise<void> {
    const { app, store, sleeper, maxInterval } = this.#options;
    const entries = app.options.beat.map(({ name, call }) => ({ name, call }));
    if ((await this.#surely(() => store.sync(this.#term, entries), "entries of the options not stored")) === false) this.end();
    await this.#surely(() => this.#realign(), "entries not looked at");
    while (!this.#over) {
      const pause = await this.#surely(() => this.#look(), "not looking for what is due");
      await sleeper.sleep(Math.min(pause ?? 0, maxInterval));
    }
  }

  /** Does what is due, and gives how long there is nothing to do then, in ms. */
  async #look(): Promise<number> {
    const { store, time, steady, sending, log, onTime } = this.#options;
    const asked = steady.now();
    for (const [name, until] of this.#resting) if (until <= asked) this.#resting.delete(name);
    const most = lot.entries + this.#resting.size;
    const { now, entries, next = Infinity } = await store.due(Math.floor(time.now()), most);
    const jumped = time.heard(now, asked);
    onTime(now);
    if (Math.abs(jumped) > 1000) {
      log.warn({ ms: Math.round(jumped) }, "the clock of the server has jumped");
      if (jumped < 0) await this.#realign();
    }
    let soonest = entries.length < most ? next : now;
    let ticks = 0;
    const steps: Step[] = [];
    for (const entry of entries) {
      const restsUntil = this.#resting.get(entry.name);
      const due = entry.due ?? now;
      if (restsUntil !== undefined) soonest = Math.min(soonest, now + restsUntil - asked);
      // By this clock, which may go before that of the server by the time that its answers take.
      else if (due > now || ticks >= lot.ticks) soonest = Math.min(soonest, due);
      else {
        const step = sending.step(entry, now);
        if (step === undefined) this.#rest(entry.name);
        else {
          steps.push(step);
          ticks += step.advance.ticks.length;
          soonest = Math.min(soonest, step.plan.next ?? Infinity);
        }
      }
    }
    if (steps.length > 0 && !(await this.#advance(steps))) soonest = now;
    return Math.ceil(soonest - time.now());
  }

  /** `false` if an entry was changed meanwhile, so that there may be more to do. */
  async #advance(steps: readonly Step[]): Promise<boolean> {
    const { store, sending, time } = this.#options;
    const advances: readonly Advance[] = steps.map(({ advance }) => advance);
    // Again after a lost reply: the store knows what it has done, and says so.
    const advanced = (await this.#surely(() => store.advance(this.#term, advances), "ticks not sent")) ?? [];
    const now = time.now();
    let unchanged = true;
    for (const [index, step] of steps.entries()) {
      const outcome = advanced[index] ?? "deposed";
      if (outcome === "deposed") {
        this.end();
        return true;
      }
      if (outcome === "changed") unchanged = false;
      if (!sending.done(step, outcome, now)) this.#rest(step.entry.name);
    }
    return unchanged;
  }

  #rest(entry: string): void {
    this.#resting.set(entry, this.#options.steady.now() + rest.entry);
  }

  /** Has no interval be waited for longer than it is, which it would be after the clock went backwards. */
  async #realign(): Promise<void> {
    const { store, timetables, time, steady } = this.#options;
    const asked = steady.now();
    const { now } = await store.due(0, 1);
    time.heard(now, asked);
    const late = (await store.list()).flatMap((entry): readonly Advance[] => {
      const { name, version, due = 0, call } = entry;
      if (call.schedule.type !== "every" || due <= Math.max(now, call.startAt ?? 0) + call.schedule.every) return [];
      const next = timetables.of(entry).next(now);
      return [{ name, version, due, ticks: [], ...(next !== undefined && { next }) }];
    });
    if (late.length > 0) await store.advance(this.#term, late);
  }

  /** What `attempt` gives, tried again until it does; `undefined` if the term ends before. */
  async #surely<T>(attempt: () => Promise<T>, failed: string): Promise<T | undefined> {
    while (!this.#over) {
      try {
        return await attempt();
      } catch (error) {
        if (this.#over) return undefined;
        this.#options.trouble.warn(failed, error);
        await this.#options.sleeper.sleep(rest.outage);
      }
    }
    return undefined;
  }
}
