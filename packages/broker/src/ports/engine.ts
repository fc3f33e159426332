import type { ConsumeOptions, Consumer } from "./consumer.js";
import type { ControlBus } from "./control-bus.js";
import type { Flows } from "./flows.js";
import type { Queues } from "./queues.js";
import type { Results } from "./results.js";
import type { Schedules } from "./schedules.js";
import type { WorkerNames } from "./workers.js";

/**
 * Everything that queues, stores and remembers. One object, so that an implementation may do
 * several steps in one atomic operation. Nothing is connected before the first call.
 */
export interface Engine {
  readonly queues: Queues;
  readonly results: Results;
  readonly flows: Flows;
  readonly schedules: Schedules;
  readonly control: ControlBus;
  readonly workers: WorkerNames;

  /**
   * Whether its state lives in this process, so that tasks in threads or child processes cannot use
   * it. Default: false.
   */
  readonly isLocal?: boolean;

  /** Opens the consuming side of some queues. */
  consume(options: ConsumeOptions): Consumer;

  /** Closes all connections, within 5 s, whatever state the servers are in. */
  close(): Promise<void>;
}

/** What an engine keeps where its queues are. */
export type BrokerFacets = Pick<Engine, "queues" | "flows" | "workers" | "consume" | "close">;
