import type { Failure } from "./failure.js";
import type { Flow } from "./flow.js";
import type { TaskRecord, UnsentRecord } from "./record.js";

/** How an execution ended: a closed union, switched exhaustively. `result` is the encoded JSON of the returned value, absent for `undefined`. */
export type Outcome =
  | {
      readonly type: "succeeded";
      readonly result?: string;
      /** Why the returned value cannot be sent; only of one that nobody reads. */
      readonly unsendable?: string;
      /** The task asked that nothing be stored of how it ended. */
      readonly ignored?: boolean;
    }
  | {
      readonly type: "failed";
      readonly failure: Failure;
      /** Keep the message among the dead letters, because it could not be run (unknown task, undecodable) or was rejected. */
      readonly deadLetter?: boolean;
      /** It is nothing unusual: the task declares that it may fail so. */
      readonly expected?: boolean;
    }
  | {
      readonly type: "revoked";
      readonly reason: string;
      /** Why its last attempt failed, if it had one. */
      readonly failure?: Failure;
    }
  /** To be tried again: the next attempt takes the place of this one. */
  | {
      readonly type: "retried";
      /** Why this attempt failed. */
      readonly failure: Failure;
      /** The message of the next attempt, encoded. */
      readonly text: string;
      /** When the next attempt is due, ms since the epoch. */
      readonly eta: number;
    }
  /** Other tasks run in its place: it ends when they do, as they do. */
  | { readonly type: "replaced"; readonly flow: Flow }
  /** Whoever ran it died of it, or beside it: back to its queue at once, and one crash more. */
  | { readonly type: "crashed"; readonly reason: string }
  /** Back to its queue, with no change of state (shutdown, an external job). */
  | {
      readonly type: "requeued";
      readonly reason: string;
      /** When it may be taken again, ms since the epoch; a job of a plain BullMQ producer may at once. Default: at once. */
      readonly eta?: number;
      /** Since when it is put back because workers do not know its task or its version, ms since the epoch. */
      readonly unknownSince?: number;
      /** The tasks that the runner knows it came to; only if its own is not among them. */
      readonly known?: readonly string[];
    };

/** An outcome with which a task has ended. */
export type FinalOutcome = Extract<Outcome, { readonly type: "succeeded" | "failed" | "revoked" }>;

/** How a task ended whose record this is; `undefined` if it has not. */
export function outcomeOfRecord({ state, result, failure, reason = "no reason given" }: TaskRecord): FinalOutcome | undefined {
  switch (state) {
    case "SUCCESS":
      return result === undefined ? { type: "succeeded" } : { type: "succeeded", result: JSON.stringify(result) };
    case "FAILURE":
      return { type: "failed", failure: failure ?? { name: "Error", message: "the stored failure is incomplete" } };
    case "REVOKED":
      return failure === undefined ? { type: "revoked", reason } : { type: "revoked", reason, failure };
    default:
      return undefined;
  }
}

/** What the record of a task says that came to `outcome`. */
export function stateOfOutcome(outcome: FinalOutcome): Pick<UnsentRecord, "state" | "resultText" | "failure" | "reason"> {
  switch (outcome.type) {
    case "succeeded":
      return { state: "SUCCESS", resultText: outcome.result };
    case "failed":
      return { state: "FAILURE", failure: outcome.failure };
    case "revoked":
      return { state: "REVOKED", reason: outcome.reason, failure: outcome.failure };
  }
}
