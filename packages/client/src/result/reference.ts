import type { Engine } from "@bullrush/broker";
import type { Revoke } from "../control/revoke.js";
import type { Handle } from "./handle.js";
import type { ResultWaiter } from "./waiter.js";

/** What a handle needs of its app. @internal */
export interface ResultSource {
  readonly engine: Engine;
  readonly waiter: ResultWaiter;
  readonly revoke: Revoke;
  readonly options: {
    /** The declared queues, which are searched first for a task of which only the id is known. */
    readonly queues: readonly string[];
    /** Queues that may get copies of other queues' messages. */
    readonly copyQueues: readonly string[];
    /** In ms. */
    readonly resultExpires: number;
  };
}

/** What a handle knows of its task from the start. @internal */
export interface Reference {
  readonly id: string;
  readonly task?: string;
  /** The queues that it may be in, and whether it may be in others too. */
  readonly queues: readonly string[];
  readonly elsewhere?: boolean;
  /** Whether this process sent it, and so is notified of its end. */
  readonly own: boolean;
  /** The waiter's `missed` before the task was sent. */
  readonly missed?: number | undefined;
  readonly ignoreResult?: boolean;
  /** Id of the flow whose result it is: revoking it revokes the whole flow. */
  readonly flow?: string;
  /** The handle of the step before. */
  readonly parent?: Handle;
}
