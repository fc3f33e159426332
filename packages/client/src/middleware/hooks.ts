import type { Execution, Outcome } from "./execution.js";
import type { PublishCall } from "./publish-call.js";

/**
 * The hooks of a middleware. `sent` runs in the process that sends; all others run in the worker's
 * own process, whichever pool it has. The return value of a hook is ignored, except for a promise:
 * its rejection is logged.
 */
export interface Hooks {
  /** The broker has confirmed a call. */
  sent(event: SentEvent): unknown;
  /** A worker is about to run a message. */
  received(event: ExecutionEvent): unknown;
  /** The function of a task is called. */
  started(event: ExecutionEvent): unknown;
  succeeded(event: EndEvent<"succeeded">): unknown;
  /** It failed for good; a message that cannot be run, or not be settled as it ended, is one that failed. */
  failed(event: EndEvent<"failed">): unknown;
  /** An attempt failed, and another follows. */
  retried(event: EndEvent<"retried">): unknown;
  /** It was called off or has expired, whether it ran or not. Its function may still run. */
  revoked(event: EndEvent<"revoked">): unknown;
  /** The task called `this.reject()`; its message is a dead letter. */
  rejected(event: EndEvent<"rejected">): unknown;
  /** The worker takes messages from now on. */
  workerReady(event: WorkerEvent): unknown;
  /** The worker takes no more messages, and waits for its running tasks. */
  workerStopping(event: WorkerEvent): unknown;
}

export interface SentEvent {
  /** The call as sent, with the changes of every middleware. */
  readonly call: PublishCall;
}

export interface ExecutionEvent {
  readonly execution: Execution;
}

/** How a run ended. */
export interface EndEvent<Type extends Outcome["type"]> extends ExecutionEvent {
  readonly outcome: Extract<Outcome, { readonly type: Type }>;
  /** Time since the worker started with the message, in ms. */
  readonly ms: number;
}

export interface WorkerEvent {
  /** Name of the worker. */
  readonly worker: string;
  readonly queues: readonly string[];
}

/** The event that the hook `Name` gets. */
export type HookEvent<Name extends keyof Hooks> = Parameters<Hooks[Name]>[0];

/** The names of all hooks. */
export const hookNames = [
  "sent",
  "received",
  "started",
  "succeeded",
  "failed",
  "retried",
  "revoked",
  "rejected",
  "workerReady",
  "workerStopping",
] as const satisfies readonly (keyof Hooks)[];
