import type { Redis } from "ioredis";
import type { Sent, Setting } from "../measuring/setting.js";

/**
 * A library that is measured, as all scenarios use it: what they do with one they do with every
 * other. It is not loaded before it is used, so that no process has the code of the others in its
 * memory.
 */
export interface Contender {
  /** For `--contender`. */
  readonly id: string;
  /** Shown in tables. */
  readonly name: string;
  /** Its tasks run outside of Node, so what Node uses says nothing about it. Default: false. */
  readonly outside?: boolean;
  /** Its part of a scenario's tasks, because it is slower than others by far. Default: 1. */
  readonly share?: number;
  /** Whether it keeps results that can be looked up later. Default: true. */
  readonly storesResults?: boolean;
  /** The file to which its worker writes its lines; none when absent. */
  readonly logFile?: (setting: Setting) => string;
  /** Its version; `undefined` when it is not installed. */
  version(): string | undefined;
  /** How to install it; absent for those that always are. */
  readonly install?: string;
  /** Loads its code, where the time for that is not to be measured. */
  load(): Promise<unknown>;
  produce(setting: Setting): Promise<Producer>;
  /**
   * Begins to take tasks and to run their body for each; resolves when it does, with what ends it.
   */
  consume(setting: Setting, work: Work): Promise<Stop>;
  readonly queue: QueueView;
  /**
   * Many tasks, and one that runs when all of them are done and gets their results. Absent for what
   * has no such thing.
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
   * Sends `first` to `last - 1`, each with a call of its own, `width` at once: the next batch when
   * Redis has all of one. Gives the last of them.
   */
  send(first: number, last: number, width: number): Promise<readonly Sent[]>;
  /** The same with the library's call for many, which gets `width` each time. */
  sendBulk(first: number, last: number, width: number): Promise<readonly Sent[]>;
  /** Sends one task and gives its result. */
  ask(number: number): Promise<unknown>;
  /**
   * What these tasks gave, or `undefined` for each if the library keeps no results. Throws if one
   * is not done.
   */
  results(sent: readonly Sent[]): Promise<readonly unknown[]>;
  close(): Promise<void>;
}

/** A look at its tasks from beside it, on a connection to database 0. */
export interface QueueView {
  /** How many wait. */
  waiting(redis: Redis): Promise<number>;
  /** How many of the `sent` tasks that were sent in all are not done. */
  unfinished(redis: Redis, sent: number): Promise<number>;
  failed(redis: Redis): Promise<number>;
}
