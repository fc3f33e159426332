import type { Failure, Outcome } from "@bullrush/broker";
import type { Output } from "@bullrush/program";
import type { Reader } from "../execution/invoke.js";
import type { TimeLimits } from "../execution/time-limits.js";

/** All that a worker says to a runner of its pool. Plain data: the sides share no memory. */
export type ToRunner =
  | Load
  /**
   * Run this; `message` is the JSON of a `Message`, `reader` who reads what its function returns: "external" if a plain BullMQ producer sent it. Only said to a runner that is ready
   * and runs nothing.
   */
  | { readonly type: "run"; readonly run: number; readonly queue: string; readonly message: string; readonly reader: Reader }
  /** Ask that run to end. */
  | { readonly type: "stop"; readonly run: number; readonly reason: StopReason }
  /** The state of that `state` message is stored, or will not be. */
  | { readonly type: "stored"; readonly call: number }
  /** Close what is open and end. */
  | { readonly type: "end" };

/** The first message: what to load, and what all runs have in common. */
export interface Load {
  readonly type: "load";
  /** The module of the app, as behind `-A`. */
  readonly module: string;
  /** URLs that win over the module's own. */
  readonly broker?: string;
  readonly backend?: string;
  /** Name of the worker. */
  readonly worker: string;
  readonly pool: "threads" | "processes";
  /** Least important lines to send. */
  readonly level: string;
  /** Whether the stacks of failures keep the frames of Bullrush and of Node's internals. Default: false. */
  readonly fullStacks?: boolean;
  /** Whether what tasks write to stdout and stderr is told to the worker. */
  readonly captureConsole: boolean;
  /** How long tasks may run that have no limits of their own. */
  readonly limits: TimeLimits;
}

/** Why a run is asked to end. Those that are errors of ours become the same class again: a task may look at the reason of its signal. */
export type StopReason =
  | { readonly type: "soft-time-limit"; readonly task: string; readonly limit: number }
  | { readonly type: "revoked"; readonly task: string; readonly id: string; readonly reason: string }
  | { readonly type: "other"; readonly failure: Failure };

/** All that a runner says to its worker. */
export type FromRunner =
  | { readonly type: "ready" }
  | { readonly type: "unloadable"; readonly reason: string }
  /** `memory` is the resident memory of the process, in bytes; `children` are the ids of the tasks that the run has sent. */
  | {
      readonly type: "done";
      readonly run: number;
      readonly outcome: Outcome;
      readonly memory: number;
      readonly children?: readonly string[];
    }
  /** Store a state of the task's own, with `meta`, which is JSON; to be answered with `stored`. */
  | { readonly type: "state"; readonly run: number; readonly call: number; readonly state: string; readonly meta?: string }
  /** The run waits for the results of others. */
  | { readonly type: "waits"; readonly run: number }
  /** What was written to stdout or stderr. */
  | ({ readonly type: "output" } & Output)
  /** A line of pino's JSON. */
  | { readonly type: "log"; readonly line: string }
  /** An exception that nobody caught, of what it runs or of nobody known: it ends. `run` is what it ran, if anything; it begins nothing more. */
  | ({ readonly type: "crash"; readonly run?: number } & Uncaught)
  /** An exception that nobody caught, of a run that has ended: it is to be ended after what it runs. Said once. */
  | ({ readonly type: "fault" } & Uncaught);

/** An exception that nobody caught, and name and id of the task that threw it, if they are known. */
interface Uncaught {
  readonly failure: Failure;
  readonly task?: string;
  readonly id?: string;
}

/** What a runner says, as it comes from its thread or its process. The code of tasks has the same way to whoever started it, and uses it: libraries that say that they are ready, for one. */
export interface Said {
  readonly bullrush: FromRunner;
}

/** What a process says, and how many frames it had written to its stdout by then: these are heard before. */
export interface FromProcess extends Said {
  readonly frames: number;
}

/** Whether a runner has said it, and not the code of a task. */
export function isSaid(message: unknown): message is Said {
  return typeof message === "object" && message !== null && "bullrush" in message;
}
