import type { ScheduleNews, Schedules, Term } from "@bullrush/broker";
import type { ThrottledLog } from "@bullrush/program";
import type { Logger } from "pino";
import type { Sleeper } from "./sleeper.js";

/** What a beat does while it leads. */
export interface Leader {
  /** Resolves when the term is over. Never rejects. */
  run(): Promise<void>;
  /** The term is over: nothing is begun any more. */
  end(): void;
  /** The term has been renewed. Never rejects. */
  check(): Promise<void>;
}

export interface ElectionOptions {
  readonly store: Schedules;
  readonly leader: (term: Term) => Leader;
  readonly sleeper: Sleeper;
  readonly log: Logger;
  readonly trouble: ThrottledLog;
}

/** How often a beat that does not lead tries to, and how often one that leads says that it still does, in ms. */
const intervals = { campaign: 2000, renewal: 3000 };

/** Has a beat lead whenever no other one does. */
export class Election {
  readonly #options: ElectionOptions;
  #held: { readonly term: Term; readonly leader: Leader } | undefined;
  #running: Promise<void> | undefined;
  #follows = false;
  #stopped = false;

  constructor(options: ElectionOptions) {
    this.#options = options;
  }

  /** Resolves when it is known whether this beat leads. Rejects as the store does. */
  async start(): Promise<void> {
    const { store } = this.#options;
    const term = await store.campaign();
    if (!this.#stopped) this.#running = this.#run(term);
    else if (term !== undefined) await store.resign(term);
  }

  /** Gives up the term at once, so that another beat may begin one. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#options.sleeper.wake();
    await Promise.all([this.#resign(), this.#running]);
  }

  /** A change of entries is for the one that leads, the end of a term for those that do not. */
  heard(news: ScheduleNews): void {
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
    const { store, trouble } = this.#options;
    try {
      const term = await store.campaign();
      if (term === undefined || !this.#stopped) return term;
      await store.resign(term);
    } catch (error) {
      if (!this.#stopped) trouble.warn("no beat may lead", error);
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
    const { store, trouble } = this.#options;
    try {
      if (await store.renew(term)) await leader.check();
      else leader.end();
    } catch (error) {
      if (!this.#stopped) trouble.warn("the term of this beat is not renewed", error);
    }
  }

  async #resign(): Promise<void> {
    const { store, trouble } = this.#options;
    if (this.#held === undefined) return;
    const { term, leader } = this.#held;
    leader.end();
    try {
      await store.resign(term);
    } catch (error) {
      trouble.warn("the term of this beat was not ended: others wait until it has run out", error);
    }
  }
}
