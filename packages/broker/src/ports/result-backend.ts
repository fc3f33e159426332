import type { Failure } from "../protocol/failure.js";
import type { TaskState } from "../protocol/state.js";

/** Where outcomes are stored. The first stored terminal state wins and never changes. */
export interface ResultBackend {
  /**
   * Stores each record, in one call, and notifies its reply channel. `stored`; `superseded` if the task already has a terminal state; `fenced` if a later delivery has
   * claimed it.
   */
  store(records: readonly StoreRequest[]): Promise<readonly StoreReply[]>;

  /**
   * Claims each task for delivery `delivery`, so that stores of lower ones are refused from now on. Gives the record of a task that has a terminal state
   * already: it must not run again.
   */
  claim(claims: readonly { readonly id: string; readonly delivery: number; readonly expires: number }[]): Promise<readonly (TaskRecord | undefined)[]>;

  /** The record of each task, `undefined` where there is none. One command, however many. */
  read(ids: readonly string[]): Promise<readonly (TaskRecord | undefined)[]>;

  /** Removes the records. */
  forget(ids: readonly string[]): Promise<void>;

  /** The channel on which this process hears of its results; the same string for the life of the backend. */
  readonly replyChannel: string;

  /** Calls `listener` for each result that arrives on the reply channel, with the record unless it is large. Resolves once subscribed; call the returned function to stop. */
  subscribe(listener: (id: string, record: TaskRecord | undefined) => void): Promise<() => void>;

  /** Closes all connections, within 5 s, whatever state the backend is in. */
  close(): Promise<void>;
}

/** What the backend knows of a task. Times are milliseconds since the epoch. */
export interface TaskRecord {
  readonly state: TaskState;
  /** The delivery that stored or claimed it. */
  readonly delivery: number;
  /** The returned value; absent for `undefined` and for all states but SUCCESS. */
  readonly result?: unknown;
  /** Why it failed; FAILURE only. */
  readonly failure?: Failure;
  /** Why it was revoked; REVOKED only. */
  readonly reason?: string;
  /** What the task said of its progress; custom states only. */
  readonly meta?: unknown;
  readonly task?: string;
  readonly attempt?: number;
  readonly worker?: string;
  readonly queue?: string;
  readonly startedAt?: number;
  readonly endedAt?: number;
}

export interface StoreRequest {
  readonly id: string;
  readonly delivery: number;
  /** How long to keep it, in ms. */
  readonly expires: number;
  /** Whom to notify; nobody when absent. */
  readonly replyTo?: string;
  /** The record as JSON text, `state` and `delivery` aside. */
  readonly state: TaskState;
  readonly body: string;
}

export type StoreReply = "stored" | "superseded" | "fenced";
