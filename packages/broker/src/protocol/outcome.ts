import type { Failure } from "./failure.js";

/** How an execution ended: a closed union, switched exhaustively. `result` is the encoded JSON of the returned value, absent for `undefined`. */
export type Outcome =
  | { readonly type: "succeeded"; readonly result?: string }
  | {
      readonly type: "failed";
      readonly failure: Failure;
      /** Keep the message in the morgue, because it could not be run (unknown task, undecodable). */
      readonly bury?: boolean;
    }
  | { readonly type: "revoked"; readonly reason: string }
  /** Back to its queue at once, with no change of state (shutdown, a foreign message). */
  | { readonly type: "requeued"; readonly reason: string };
