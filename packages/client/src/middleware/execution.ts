import type { Failure, Json } from "@bullrush/broker";

/** One run of a task's function. */
export interface Execution {
  readonly id: string;
  readonly task: string;
  readonly args: readonly unknown[];
  /** Which attempt this is; the first is 1. */
  readonly attempt: number;
  /** The queue that it came through. */
  readonly queue: string;
  /** Name of the worker. */
  readonly worker: string;
  readonly headers: Readonly<Record<string, Json>>;
  readonly priority: number;
  /** The first task of its flow; its own id outside of flows. */
  readonly rootId: string;
  readonly parentId?: string;
  readonly groupId?: string;
  readonly eta?: Date;
  readonly expires?: Date;
}

/**
 * Runs the function, through the inner layers. Never rejects, except with `INVALID_OPTION` when it
 * is called twice or with another execution.
 */
export type ExecuteNext = (execution: Execution) => Promise<Outcome>;

/** How a run ended. */
export type Outcome =
  /**
   * `value` is what the function returned; absent in hooks, which run in another process.
   * `ignored`: the result is not stored.
   */
  | { readonly type: "succeeded"; readonly value?: unknown; readonly ignored?: boolean }
  /** `expected`: the task declares this error as expected. */
  | { readonly type: "failed"; readonly failure: Failure; readonly expected?: boolean }
  /** The attempt failed; the task runs again at `eta`. */
  | { readonly type: "retried"; readonly failure: Failure; readonly eta: Date }
  | { readonly type: "revoked"; readonly reason: string }
  /** The task rejected its message, which becomes a dead letter. */
  | { readonly type: "rejected"; readonly failure: Failure }
  /** A canvas replaces the task. */
  | { readonly type: "replaced" }
  /** The message goes back into its queue. */
  | { readonly type: "requeued"; readonly reason: string };
