import type { BullrushError } from "../errors/error.js";
import type { RoutedMessage } from "../protocol/message.js";
import type { ScheduledCall } from "../protocol/schedule.js";

/** Where the recurring calls of an app are kept, and who of several beats sends their ticks. Whatever a beat writes is fenced by its term. */
export interface Schedules {
  /** Connects, and gives what a beat should know of the service. Rejects with `REDIS_UNSUITABLE` if it drops what it holds when its memory is full, unless that is allowed. */
  open(options: { readonly allowEviction: boolean }): Promise<readonly string[]>;

  /** Tries to lead. Gives the term, or `undefined` while somebody else leads. */
  campaign(): Promise<Term | undefined>;

  /** Holds on to a term for another `lead` ms. `false`: it is over. */
  renew(term: Term): Promise<boolean>;

  /** Ends a term: others are told, and may lead at once. Safe to repeat, and when it is over. */
  resign(term: Term): Promise<void>;

  /**
   * Stores the entries of an app's options. New ones, and those with another schedule or another start that is still to come, are to be computed, and count from 0. Where only something else has
   * changed, they are due as before, and count on. One whose schedule is a function is to be computed, unless it is due: the function may
   * be another. Those that came from options and are not among these are removed. What was set at run time stays as it is. `false`: the term is over; what was not
   * written by then is not.
   */
  sync(term: Term, entries: readonly NamedCall[]): Promise<boolean>;

  /** Which of these entries of the options, once synced, are not stored any more though nobody has removed them: the server has lost them. */
  lost(names: readonly string[]): Promise<readonly string[]>;

  /** Stores entries of the options again, as `sync` does, but for those that somebody has removed in this term, and removes none. `false`: the term is over. */
  restore(term: Term, entries: readonly NamedCall[]): Promise<boolean>;

  /** Stores an entry at run time, in the place of one of this name: its ticks count from 0; what is paused stays so, and its last tick is known still, due now at the latest. */
  set(entry: NamedCall): Promise<void>;

  /** Removes an entry. `false`: there is none of this name. One that came from options is back when a beat with these options begins to lead. */
  remove(name: string): Promise<boolean>;

  /** Has an entry not tick until it is resumed; ticks meanwhile are not missed. `false`: there is none of this name. */
  pause(name: string): Promise<boolean>;
  resume(name: string): Promise<boolean>;

  /** All entries, by name. */
  list(): Promise<readonly StoredEntry[]>;

  /** The entries with these names; `undefined` where there is none. */
  read(names: readonly string[]): Promise<readonly (StoredEntry | undefined)[]>;

  /**
   * The time of the server, and what a leader has to do next: `most` entries at most, or fewer if they are long. Of those in `resting` that have the same version still, nothing
   * but that is read: their calls are missing.
   */
  due(until: number, max: number, resting?: readonly Pick<StoredEntry, "name" | "version">[]): Promise<Due>;

  /**
   * For each entry at once: sends its ticks, and says when it is due next; nothing of it if it has been changed, or has ticked, since it was read, or if the term is over
   * (then each is `deposed`). Each tick is sent once, whoever else tries. After an error that left open whether it was done, it is safe to repeat in the same term, and gives
   * what was done.
   */
  advance(term: Term, advances: readonly Advance[]): Promise<readonly Advanced[]>;

  /** Calls `listener` with whatever happens from now on, and with `changed` when it listens again after a while in which it heard nothing. Resolves once subscribed; call what it gives to stop. */
  subscribe(listener: (news: ScheduleNews) => void): Promise<() => void>;

  /** Closes all connections, within 5 s. */
  close(): Promise<void>;
}

/** Entries were set, removed, paused or resumed; or a leader has resigned, so that another beat may lead. */
export type ScheduleNews = "changed" | "resigned";

/** The time for which one beat may send ticks. */
export interface Term {
  /** Proof of it, never used before. */
  readonly token: string;
  /** Number of the term: each is higher than all before it. */
  readonly epoch: number;
}

export interface NamedCall {
  readonly name: string;
  readonly call: ScheduledCall;
}

/** An entry, as it is kept. Times are ms since the epoch, by the clock of the server. */
export interface StoredEntry extends NamedCall {
  readonly origin: "options" | "runtime";
  /** Changes with each change of the entry by a user, not with its ticks. */
  readonly version: string;
  readonly paused: boolean;
  /** When it was first stored, or set anew: intervals count from here, or from `startAt`. */
  readonly createdAt: number;
  /** The next run; absent when it is to be computed, when there is none any more, and while it is paused. */
  readonly due?: number;
  /** How many ticks were sent. */
  readonly count: number;
  readonly last?: LastTick;
  /** Why it cannot be read, if somebody has spoilt it. Then its `call` says nothing, and it must not tick. */
  readonly spoilt?: string;
}

/** The tick that was sent last. */
export interface LastTick {
  /** When it was due, and when it was sent. */
  readonly due: number;
  readonly sentAt: number;
  /** Of its task. */
  readonly id: string;
  readonly queue: string;
}

export interface Due {
  /** Time of the server, ms since the epoch. */
  readonly now: number;
  /** Entries that are due by `until` or are to be computed, at most as many as asked for: to be computed first, then by their times. */
  readonly entries: readonly StoredEntry[];
  /** When the next of the others is due; absent when there is none. */
  readonly next?: number;
}

/** What a leader does with one entry. */
export interface Advance {
  readonly name: string;
  /** As it was read. */
  readonly version: string;
  readonly due: number | undefined;
  /** What is sent now, in the order of their times. */
  readonly ticks: readonly Tick[];
  /** When it is due next; absent when it never is any more. */
  readonly next?: number;
  /** Its version from now on: the ids of its ticks are others, so that times that have been can come again. Default: the same. */
  readonly newVersion?: string;
}

export interface Tick {
  readonly due: number;
  /** The message, and its copies for further queues. Its id is made from the entry's name, version and `due`. */
  readonly messages: readonly [first: RoutedMessage, ...copies: RoutedMessage[]];
  /** Not sent while the first message of the tick before has not ended: waits, is delayed, runs, or is to be retried. */
  readonly skipIfUnfinished: boolean;
}

/** What became of an entry's ticks, or why nothing was done. An error is of this entry alone: a message that cannot be encoded, a queue whose keys hold something else. */
export type Advanced = TickCounts | "changed" | "deposed" | BullrushError;

/** How many ticks were sent, and how many were not. */
export interface TickCounts {
  readonly sent: number;
  /** The task of the one before had not ended. */
  readonly overlapped: number;
  /** There is a task with its id already, in its first queue: it was sent before. */
  readonly duplicates: number;
}
