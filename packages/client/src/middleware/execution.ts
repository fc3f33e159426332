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
  /** The first task of its flow; its own id when it stands alone. */
  readonly rootId: string;
  readonly parentId?: string;
  readonly groupId?: string;
  readonly eta?: Date;
  readonly expires?: Date;
}

/** Runs the function, through the layers further in. Never rejects, unless it is called twice or with another execution: then with `INVALID_OPTION`. */
export type ExecuteNext = (execution: Execution) => Promise<Outcome>;

/** How a run ended. */
export type Outcome =
  /** `value` is what the function returned; absent in hooks, which run in another process. `ignored`: nothing is stored of it. */
  | { readonly type: "succeeded"; readonly value?: unknown; readonly ignored?: boolean }
  /** `expected`: the task declares that it may fail so. */
  | { readonly type: "failed"; readonly failure: Failure; readonly expected?: boolean }
  /** It failed, and runs again at `eta`. */
  | { readonly type: "retried"; readonly failure: Failure; readonly eta: Date }
  | { readonly type: "revoked"; readonly reason: string }
  /** The task rejected its message, which is kept among the dead letters. */
  | { readonly type: "rejected"; readonly failure: Failure }
  /** A canvas runs in its place. */
  | { readonly type: "replaced" }
  /** Its message goes back into its queue. */
  | { readonly type: "requeued"; readonly reason: string };
