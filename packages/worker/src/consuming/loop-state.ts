/** How the loop stands that takes, runs and settles. Without ids and payloads, so that it can be logged. */
export interface LoopState {
  /** Whether it takes at all: it has been started, is not being stopped, and nothing has to run alone. */
  readonly taking: boolean;
  /** Slots that neither a task has nor a take under way keeps. */
  readonly free: number;
  /** How many more settlements may wait before it stops taking. */
  readonly room: number;
  readonly running: number;
  /** Deliveries that wait to run alone. */
  readonly waiting: number;
  /** Deliveries that have ended and are not settled. */
  readonly unsettled: number;
  /** Calls to the broker under way, and those of them that take. */
  readonly calls: number;
  readonly takes: number;
  /** Whether it waits to hear that there may be something. */
  readonly listening: boolean;
  /** Whether it decides again in this turn of the event loop. */
  readonly scheduled: boolean;
  /** Ms until an operation that has failed is tried again; 0 when none has. */
  readonly pause: number;
  /** Ms until it looks though nothing was heard; 0 or less when something may be taken now. */
  readonly nextLook: number;
  /** How often it has decided what to do. */
  readonly pumps: number;
}
