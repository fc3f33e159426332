import type { Clock } from "../time/clock.js";
import type { Timing } from "../time/shared-timer.js";
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

  /**
   * The time by which its messages become due and expire, where that is not the system's time. Apps,
   * workers and beats on this engine take it for whatever they compute or wait for on behalf of a
   * task. Default: the system's.
   */
  readonly clock?: EngineClock;

  /** Where it keeps what, for people and logs: without passwords. */
  readonly display: { readonly broker: string; readonly backend: string };

  /** Opens the consuming side of some queues. */
  consume(options: ConsumeOptions): Consumer;

  /**
   * Calls `listener` at each failure of a connection, with the reason. A further listener replaces
   * it.
   */
  onConnectionError(listener: OnConnectionError): void;

  /** Closes all connections, within 5 s, whatever state the servers are in. */
  close(): Promise<void>;
}

/** A time, and timers that fire by it. */
export type EngineClock = Clock & Pick<Timing, "setTimer">;

/** Called at each failed connection to the broker or the result backend, with the reason. */
export type OnConnectionError = (service: "broker" | "backend", reason: string) => void;

/** What an engine keeps where its queues are. */
export type BrokerFacets = Pick<Engine, "queues" | "flows" | "workers" | "consume" | "close">;
