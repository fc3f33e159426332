import type { ScheduleNews, Schedules, Term } from "@bullrush/broker";
import type { ThrottledLog } from "@bullrush/program";
import type { Logger } from "pino";
import type { Sleeper } from "./sleeper.js";

/** The work of a beat while it leads. */
export interface Leader {
  /** Runs the term. Resolves when it is over. Never rejects. */
  run(): Promise<void>;
  /** Ends the term: no work is begun any more. */
  end(): void;
  /** Called when the term has been renewed. Never rejects. */
  check(): Promise<void>;
}

export interface ElectionOptions {
  readonly store: Schedules;
  readonly leader: (term: Term) => Leader;
  readonly sleeper: Sleeper;
  readonly log: Logger;
  readonly throttledLog: ThrottledLog;
}

/** Interval of a follower's attempts to lead, and of a leader's renewals, in ms. */
const intervals = { campaign: 2000, renewal: 3000 };

/** Makes a beat lead whenever no other beat does. */
export class Election {
  readonly #options: ElectionOptions;
  #held: { readonly term: Term; readonly leader: Leader } | undefined;
  #running: Promise<void> | undefined;
  #follows = false;
  #stopped = false;

  constructor(options: ElectionOptions) {
    this.#options = options;
  }

  /** Resolves when it is known whether this beat leads. Rejects with the store's error. */
  async start(): Promise<void> {
    const { store } = this.#options;
    const term = await store.campaign();
    if (!this.#stopped) this.#running = this.#run(term);
    else if (term !== undefined) await store.resign(term);
  }

  /** Resigns at once, so that another beat can lead. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#options.sleeper.wake();
    await Promise.all([this.#resign(), this.#running]);
  }

  /** Wakes the leader when entries have changed, and followers when a term has ended. */
  onNews(news: ScheduleNews): void {
    if (news === "resigned" || this.#held !== undefined) this.#options.sleeper.wake();
  }

  async #run(first: Term | undefined): Promise<void> {
    let term = first;
    while (!this.#stopped) {
      if (term !== undefined) await this.#lead(term);
      else {
        if (!this.#follows) this.#options.log.info({}, "following");
        this.#follows = true;
        await this.#options.sleeper.sleep(intervals.campaign);
      }
      if (!this.#stopped) term = await this.#campaign();
    }
  }

  async #campaign(): Promise<Term | undefined> {
    const { store, throttledLog } = this.#options;
    try {
      const term = await store.campaign();
      if (term === undefined || !this.#stopped) return term;
      await store.resign(term);
    } catch (error) {
      if (!this.#stopped) throttledLog.warn("no beat may lead", error);
    }
    return undefined;
  }

  async #lead(term: Term): Promise<void> {
    const { leader: leaderOf, log } = this.#options;
    const leader = leaderOf(term);
    this.#held = { term, leader };
    this.#follows = false;
    log.info({ epoch: term.epoch }, "leading");
    const renewals = setInterval(() => void this.#renew(term, leader), intervals.renewal);
    await leader.run();
    clearInterval(renewals);
    this.#held = undefined;
  }

  async #renew(term: Term, leader: Leader): Promise<void> {
    const { store, throttledLog } = this.#options;
    try {
      if (await store.renew(term)) await leader.check();
      else leader.end();
    } catch (error) {
      if (!this.#stopped) throttledLog.warn("the term of this beat is not renewed", error);
    }
  }

  async #resign(): Promise<void> {
    const { store, throttledLog } = this.#options;
    if (this.#held === undefined) return;
    const { term, leader } = this.#held;
    leader.end();
    try {
      await store.resign(term);
    } catch (error) {
      throttledLog.warn("the term of this beat was not ended: others wait until it has run out", error);
    }
  }
}
