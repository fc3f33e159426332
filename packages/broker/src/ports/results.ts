import type { Failure } from "../protocol/failure.js";
import type { TaskRecord } from "../protocol/record.js";

/** Where outcomes are stored. The first stored terminal state wins and never changes. */
export interface Results {
  /** Connects, or says why it cannot: `RESULT_BACKEND_UNAVAILABLE`, `REDIS_AUTH`. */
  open(): Promise<void>;

  /**
   * Stores each record, in one call, and notifies its reply channel. `stored`; `superseded` if the
   * task already has a terminal state; `fenced` if a later delivery has claimed it.
   */
  store(records: readonly StoreRequest[]): Promise<readonly StoreReply[]>;

  /**
   * Claims each task for a delivery, so that stores of lower ones are refused from now on. The
   * record of a task that has a terminal state already means that it must not run again; `fenced`,
   * that a later delivery has claimed it.
   */
  claim(claims: readonly Claim[]): Promise<readonly ("claimed" | "fenced" | TaskRecord)[]>;

  /** Removes the claim of a delivery, unless something was stored or claimed since. */
  unclaim(id: string, delivery: number): Promise<void>;

  /** The record of each task, `undefined` where there is none. One command, however many. */
  read(ids: readonly string[], options?: ReadOptions): Promise<readonly (TaskRecord | undefined)[]>;

  /** Removes the records. */
  forget(ids: readonly string[]): Promise<void>;

  /** Keeps `text`, which says what the group `id` consists of, for `expires` ms. */
  saveGroup(id: string, text: string, expires: number): Promise<void>;

  /** What was kept of the group, if anything. */
  readGroup(id: string): Promise<string | undefined>;

  /** Removes what was kept of the group. */
  forgetGroup(id: string): Promise<void>;

  /**
   * The channel on which this process hears of its results; the same string for the life of the
   * backend.
   */
  readonly replyChannel: string;

  /**
   * Calls `listener` for each result that arrives on the reply channel, with the record unless it
   * is large. Resolves once subscribed; call the returned function to stop. `onGap` is called each
   * time that it listens again after a loss of the connection: results that came meanwhile are told
   * to nobody.
   */
  subscribe(listener: (id: string, record: TaskRecord | undefined) => void, onGap?: () => void): Promise<() => void>;

  /** Closes all connections, within 5 s, whatever state the backend is in. */
  close(): Promise<void>;
}

export interface ReadOptions {
  /**
   * Whether it is to be sure of what is missing: after a failover the old primary, which has become
   * a replica, is not believed. Default: false.
   */
  readonly isSure?: boolean;
}

export interface StoreRequest {
  readonly id: string;
  readonly delivery: number;
  /** How long to keep it, in ms. */
  readonly expires: number;
  /** Whom to notify; nobody when absent. */
  readonly replyTo?: string | undefined;
  /** The record as JSON, from `encodeRecord`. */
  readonly record: string;
}

export type StoreReply = "stored" | "superseded" | "fenced";

export interface Claim {
  readonly id: string;
  readonly delivery: number;
  /** How long the claim holds, in ms. */
  readonly expires: number;
  /** Name of the worker. */
  readonly worker: string;
  /** Why the attempt before failed, if there was one: the claim takes the place of what said so. */
  readonly failure?: Failure | undefined;
}
