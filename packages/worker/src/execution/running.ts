import type { Delivery } from "@bullrush/broker";
import type { Stop } from "./stop.js";

/** A delivery that runs, as the executor sees it. The executor writes down how far it is. */
export interface Running {
  readonly delivery: Delivery;
  /** How the task is asked to end. */
  readonly stop: Stop;
  /** Whether its end still counts: it was neither killed nor put back meanwhile. */
  readonly isOpen: boolean;
  /** When the executor began with it, in ms since the epoch; absent before. */
  startedAt: number | undefined;
  /** Whether the function of the task was called. */
  begun: boolean;
  /** Whether the function was called and must not be called again. */
  startedOnce: boolean;
}
