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
    /** The declared queues, where a task is looked for first of which only the id is known. */
    readonly queues: readonly string[];
    /** Those that may get copies of what others get. */
    readonly copyQueues: readonly string[];
    /** In ms. */
    readonly resultExpires: number;
  };
}

/** What a handle knows of its task from the start. @internal */
export interface Reference {
  readonly id: string;
  readonly task?: string;
  /** The queues that it may be in, and whether it may be in any other too. */
  readonly queues: readonly string[];
  readonly elsewhere?: boolean;
  /** Whether this process sent it, and so is told of its end. */
  readonly own: boolean;
  /** What `missed` of the waiter was before it was sent. */
  readonly missed?: number | undefined;
  readonly ignoreResult?: boolean;
  /** Id of the flow that it is the result of: whoever calls it off means the whole flow. */
  readonly flow?: string;
  /** The handle of the step before. */
  readonly parent?: Handle;
}
