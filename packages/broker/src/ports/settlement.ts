import type { Outcome } from "../protocol/outcome.js";
import type { Delivery } from "./delivery.js";
import type { StoreRequest } from "./results.js";

/** What became of a delivery. */
export interface Settlement {
  readonly delivery: Delivery;
  readonly outcome: Outcome;
  /** What to keep in the result backend; absent when nothing is. */
  readonly store?: StoreRequest;
  /** The same for the tasks that this one stands for. */
  readonly copies?: readonly StoreRequest[];
}

/**
 * `settled`: done, also when the lease had run out and the task has succeeded first. `lost`: the
 * lease had run out and the message is somebody else's, or it was settled by an earlier exchange
 * whose reply was lost. `again`: the broker refused for now, settle it once more.
 */
export type Settled = "settled" | "lost" | "again";
