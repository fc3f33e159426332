import type { AsyncResult } from "../result/async-result.js";
import type { TaskContext } from "./context.js";
import type { CallOptions, TaskOptions } from "./options.js";
import type { Signature } from "./signature.js";

/** The function of a task: arguments and result are what JSON can carry. */
export type TaskFunction<Args extends unknown[], Returned> = (this: TaskContext, ...args: Args) => Returned;

/** A task from a producer's side: it can be sent, not run. */
export interface TaskStub<Args extends unknown[] = unknown[], Result = unknown> {
  readonly name: string;
  /** Sends a call. Rejects within 5 s if the broker cannot confirm it; resolves to the handle on its result, which is not thenable. */
  delay(...args: Args): Promise<AsyncResult<Result>>;
  /** Sends a call with options. */
  applyAsync(args: Args, options?: CallOptions): Promise<AsyncResult<Result>>;
  /** A call that is not sent yet, for `app.publishAll`, or to be sent later. */
  s(...args: Args): Signature<Result>;
}

/** A declared task: called, it runs here and now, without a broker; `delay` and `applyAsync` send it to a worker. */
export interface Task<Args extends unknown[] = unknown[], Returned = unknown> extends TaskStub<Args, Awaited<Returned>> {
  (...args: Args): Returned;
}

/** Any task, whatever its arguments and its result. */
export interface AnyTask {
  (...args: never[]): unknown;
  readonly name: string;
  delay(...args: never[]): Promise<AsyncResult>;
}

/** The stub of a task, from its type: `Stub<typeof taskA>`. */
export type Stub<T> = T extends Task<infer Args, infer Returned> ? TaskStub<Args, Awaited<Returned>> : never;

/** What an app knows of a declared task. */
export interface TaskDefinition {
  readonly name: string;
  readonly options: TaskOptions;
  /** How long its results are kept, in ms; the app's setting when absent. */
  readonly resultExpires?: number;
  /** The function as declared, to be called with a context as `this`. */
  readonly run: (this: TaskContext, ...args: unknown[]) => unknown;
}
