import type { Redis } from "ioredis";
import type { Sent, Setting } from "../measuring/setting.js";

/**
 * A library under measurement, with the methods that all scenarios use. It is loaded only when
 * used, so that no process has other libraries in its memory.
 */
export interface Contender {
  /** For `--contender`. */
  readonly id: string;
  /** Shown in tables. */
  readonly name: string;
  /** Whether its tasks run outside of Node, so that Node's figures do not apply. Default: false. */
  readonly outside?: boolean;
  /**
   * The share of a scenario's tasks that it gets, for a library that is much slower. Default: 1.
   */
  readonly share?: number;
  /** Whether it stores results for a later look-up. Default: true. */
  readonly storesResults?: boolean;
  /** The file for its worker's log lines; none when absent. */
  readonly logFile?: (setting: Setting) => string;
  /** Its version; `undefined` when it is not installed. */
  version(): string | undefined;
  /** How to install it; absent for libraries that are always installed. */
  readonly install?: string;
  /** Loads its code, where loading must not be measured. */
  load(): Promise<unknown>;
  produce(setting: Setting): Promise<Producer>;
  /**
   * Starts a worker that runs the body for each task. Resolves when the worker consumes, with the
   * function that ends it.
   */
  consume(setting: Setting, work: Work): Promise<Stop>;
  readonly queue: QueueView;
  /**
   * Many tasks, and one that runs when all of them are done and gets their results. Absent if the
   * library has no fan-in.
   */
  readonly fanIn?: (setting: Setting) => Promise<FanIn>;
}

/** One fan-in: first `send`, then `work`. */
export interface FanIn {
  /** Sends all of it: a member for each number from 0 on, and the body. */
  send(members: number): Promise<void>;
  /**
   * Runs it, 100 members at a time. Resolves with the results that the body got, when it has ended.
   */
  work(): Promise<readonly unknown[]>;
  close(): Promise<void>;
}

export type Stop = () => Promise<unknown>;

export interface Work {
  /** How many tasks may run at once. */
  readonly concurrency: number;
  /** Called for each task that runs, except outside of Node. */
  readonly onRun?: () => void;
}

export interface Producer {
  /**
   * Sends `first` to `last - 1`, one call each, `width` at once: the next batch when Redis has all
   * of one. Returns the handles of the last ones.
   */
  send(first: number, last: number, width: number): Promise<readonly Sent[]>;
  /** As above, with the library's bulk call, which gets `width` tasks each time. */
  sendBulk(first: number, last: number, width: number): Promise<readonly Sent[]>;
  /** Sends one task and returns its result. */
  ask(number: number): Promise<unknown>;
  /**
   * The results of these tasks, or `undefined` for each if the library stores none. Throws if one
   * is not done.
   */
  results(sent: readonly Sent[]): Promise<readonly unknown[]>;
  close(): Promise<void>;
}

/** Counts its tasks from outside, on a connection to database 0. */
export interface QueueView {
  /** How many wait. */
  waiting(redis: Redis): Promise<number>;
  /** How many of the `sent` tasks are not done. */
  unfinished(redis: Redis, sent: number): Promise<number>;
  failed(redis: Redis): Promise<number>;
}
