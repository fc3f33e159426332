import type { Failure } from "./failure.js";
import type { TaskRef, FlowPosition } from "./flow-position.js";

/** Arguments and headers are what JSON can carry. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json | undefined };

/**
 * A task call on the wire, version 2. Immutable: a retry is a new message with the same id. Times are milliseconds since the epoch,
 * lengths of time milliseconds.
 */
export interface Message {
  /** UUID, made by the client; also the id of the result. */
  readonly id: string;
  /** Name of the task. */
  readonly task: string;
  readonly args: readonly unknown[];
  /** Free to use; `fanoutOf` names the first copy when several queues got one. */
  readonly headers: Readonly<Record<string, Json>>;
  /** Priority in its queue, 0 (first, the default) to 9. */
  readonly priority: number;
  /** How often the task was retried; the attempt is one more. */
  readonly retries: number;
  /** The first task of the flow that this one belongs to; its own id when it stands alone. */
  readonly rootId: string;
  /** The task during which this one was sent. */
  readonly parentId?: string;
  /** The group that this one is a member of. */
  readonly groupId?: string;
  /** Do not run before this time. */
  readonly eta?: number;
  /** Revoke instead of run from this time on. */
  readonly expires?: number;
  /** How often it may be retried; `null` is for ever, absent is for its declaration to say. */
  readonly maxRetries?: number | null;
  /** Hard and soft limit of one run. */
  readonly timeLimit?: number;
  readonly softTimeLimit?: number;
  /** Channel on the result backend on which the sender waits. */
  readonly replyTo?: string;
  /** Store no result. */
  readonly ignoreResult?: boolean;
  /** Call the function once for each of `args`, which are lists of arguments, one after the other; the result is the array of what it returned. */
  readonly each?: boolean;
  /** Where it stands in flows: in the one that it is part of, then in those of the tasks that it stands for. */
  readonly positions?: readonly FlowPosition[];
  /** The tasks in whose place it runs: how it ends, they end. */
  readonly replaces?: readonly TaskRef[];
  /** May have been enqueued before (its reply was lost, or the caller chose the id): look for a result before running. */
  readonly resent?: boolean;
  /** Why the attempt before this one failed, shortened if it is long; absent on the first. */
  readonly lastFailure?: Failure;
}

/** A message with the queue that it goes to. */
export interface RoutedMessage {
  readonly queue: string;
  readonly message: Message;
  /** The message as `encodeMessage` writes it. Default: it is encoded when it is sent. */
  readonly text?: string;
}
