import type { Ignores } from "../canvas/canvas.js";
import type { OnlyOne, Open, PartialArgs } from "../canvas/fit.js";
import type { Group } from "../canvas/group.js";
import type { AsyncResult } from "../result/async-result.js";
import type { TaskContext } from "./context.js";
import type { CallOptions, TaskOptions } from "../options/task-options.js";
import type { FlawOf, NotJson } from "./sendable.js";
import type { Signature } from "../canvas/signature.js";

/** The function of a task. JSON can carry its arguments and result. */
export type TaskFunction<Args extends unknown[], Returned> = (this: TaskContext, ...args: Args) => Returned;

/** Any function of a task. */
export type AnyTaskFunction = (this: TaskContext, ...args: never) => unknown;

/** The task whose function is a `Run`. */
export type TaskOf<Run extends AnyTaskFunction> = Run extends (...args: infer Args extends unknown[]) => infer Returned
  ? Task<Args, Returned>
  : never;

/** A task from a producer's side: it can be sent, not run. */
export interface TaskStub<Args extends unknown[] = unknown[], Result = unknown> {
  readonly name: string;
  /**
   * Sends a call. Resolves to the handle on its result, which is not thenable. Rejects within 5 s
   * if the broker cannot confirm it.
   */
  delay(...args: Args): Promise<AsyncResult<Result>>;
  /** Sends a call with options. */
  applyAsync(args: Args, options?: CallOptions): Promise<AsyncResult<Result>>;
  /**
   * A call that is not sent yet: to send later, for `app.publishAll`, or as part of a canvas. After
   * a step of a canvas, the result of that step goes in front of its arguments, so the first may be
   * left out here.
   */
  s<Given extends PartialArgs<Args>>(...args: Given): Signature<Result, Open<Args, Given>>;
  /** As `s`, for a call that takes nothing from the step before it. */
  si(...args: Args): Signature<Result, Ignores>;
  /** A group with one call for each item, which is its only argument. */
  map(items: readonly OnlyOne<Args>[]): Group<Result[], Ignores>;
  /** A group with one call for each list of arguments. */
  starmap(lists: readonly Args[]): Group<Result[], Ignores>;
  /**
   * As `starmap`, with one message for every `size` lists, whose calls run one after the other. The
   * result is an array of arrays.
   */
  chunks(lists: readonly Args[], size: number): Group<Result[][], Ignores>;
}

/**
 * A declared task. Calling it runs its function here, without a broker; `delay` and `applyAsync`
 * send it to a worker.
 */
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
export type Stub<T> =
  T extends Task<infer Args, infer Returned> ? StubUnless<FlawOf<Args, Returned>, TaskStub<Args, Awaited<Returned>>> : never;

/** The stub of a task that can be sent; else the reason why not. */
type StubUnless<Reason extends string, Sent> = [Reason] extends [never] ? Sent : NotJson<Reason>;

/** A declared task, as the app knows it. */
export interface TaskDefinition {
  readonly name: string;
  readonly options: TaskOptions;
  /** How long its results are kept, in ms; absent: the app's setting. */
  readonly resultExpires?: number;
  /** The declared function, to be called with a context as `this`. */
  readonly run: (this: TaskContext, ...args: unknown[]) => unknown;
}
