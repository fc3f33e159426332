import type { AsyncResult } from "../result/async-result.js";
import type { Call } from "./call.js";
import { kindOf, refuse } from "./check.js";
import type { CallOptions } from "./options.js";

const mark = Symbol.for("bullrush.signature");

/** Sends a call, at once. */
type Send = (call: Call) => Promise<AsyncResult>;

/** A call that is not sent yet, as `task.s(...args)` makes it: data that never change, and what sends them. */
export class Signature<Result = unknown> {
  /** @internal How it is told from other values, whichever copy of this package made it. */
  readonly [mark] = true;
  /** Name of the task. */
  readonly task: string;
  readonly args: readonly unknown[];
  readonly options: CallOptions;
  readonly #call: Call;
  readonly #send: Send;

  /** @internal */
  constructor(call: Call, send: Send) {
    this.task = call.task;
    this.args = call.args;
    this.options = call.options;
    this.#call = call;
    this.#send = send;
  }

  /** The same call with these options, which win over those that it has. What does not fit is told when it is sent. */
  set(options: CallOptions): Signature<Result> {
    return new Signature({ ...this.#call, options: { ...this.options, ...options } }, this.#send);
  }

  /** Sends the call, as the task's own `delay` does. Each time it is another task, unless it has a `taskId`. */
  delay(): Promise<AsyncResult<Result>> {
    return this.#send(this.#call) as Promise<AsyncResult<Result>>;
  }

  /** Sends the call with these options beside its own. */
  applyAsync(options: CallOptions = {}): Promise<AsyncResult<Result>> {
    return this.set(options).delay();
  }

  /** @internal What is sent. */
  toCall(): Call {
    return this.#call;
  }
}

/** The handles on the results of `Calls`, in their order. */
export type ResultsOf<Calls extends readonly Signature[]> = { -readonly [Place in keyof Calls]: ResultOf<Calls[Place]> };

type ResultOf<Call> = Call extends Signature<infer Result> ? AsyncResult<Result> : never;

/** The call of `signature`. Throws `INVALID_OPTION`, naming its place, for what is no signature. */
export function callOf(signature: unknown, place: number): Call {
  const isSignature = typeof signature === "object" && signature !== null && mark in signature;
  if (!isSignature) refuse(`call ${place} of publishAll()`, kindOf(signature), "a signature: task.s(...)");
  return (signature as Signature).toCall();
}
