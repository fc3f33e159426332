import { BullrushError, type Json } from "@bullrush/broker";
import type { Canvas, SingleCall } from "../canvas/canvas.js";
import type { Handle } from "../result/handle.js";
import { runIn, runningTask, type RunningTask } from "../running/running-task.js";
import type { Log } from "./log.js";
import type { RejectOptions } from "./reject.js";
import type { RetryOptions } from "./retry.js";

/** The running task, as its function sees it: `this` in a `function`, or `currentTask()`. */
export interface TaskContext extends RunningTask {
  readonly name: string;
  readonly args: readonly unknown[];
  /** Which attempt this is; the first is 1. */
  readonly attempt: number;
  /** Attempts before this one. */
  readonly retries: number;
  /** The task that sent this one. */
  readonly parentId: string | undefined;
  readonly groupId: string | undefined;
  /** The earliest time of its run, if it has one. */
  readonly eta: Date | undefined;
  /** The time from which it would have been revoked, if it has one. */
  readonly expires: Date | undefined;
  readonly headers: Readonly<Record<string, Json>>;
  /** Priority in its queue, 0 (first) to 9; 0 in a direct call. */
  readonly priority: number;
  /**
   * How long this attempt may run before it is killed, in ms, from its call, its declaration or its
   * worker. `undefined`: no limit.
   */
  readonly timeLimit: number | undefined;
  /** How long this attempt may run before its `signal` aborts, in ms. `undefined`: no limit. */
  readonly softTimeLimit: number | undefined;
  /**
   * Aborts when the worker wants the task to end: it was revoked (the reason is a
   * `TaskRevokedError`); its soft time limit is over (`SoftTimeLimitExceeded`), or its time limit
   * where nothing can be killed; the time of a shutdown is over; or its lease is lost, so that
   * another worker may run it.
   */
  readonly signal: AbortSignal;
  /** Writes lines that carry the task's name and id. */
  readonly log: Log;
  /**
   * Stores the state PROGRESS with `meta`, for `AsyncResult.iterate()` and `info()`. `meta` is a
   * value that JSON can carry. The first report is stored at once, later ones at most every 100 ms,
   * so it may be called at any rate. Resolves when the report is stored, or at once if it is
   * deferred.
   */
  progress(meta: unknown): Promise<void>;
  /**
   * Stores a custom state, in capitals, with `meta`: at once if the state differs from the last,
   * else as `progress` does. It lasts until the task ends.
   */
  updateState(state: string, meta?: unknown): Promise<void>;
  /**
   * Ends this attempt by throwing a `Retry`, which the task must not catch, and makes the worker
   * run it again under the same id. `return this.retry({ error })` keeps the result type. After the
   * last retry the task fails with `error`, else with `MAX_RETRIES_EXCEEDED`. A direct call throws
   * `error`. Throws `INVALID_OPTION`.
   */
  retry(options?: RetryOptions): never;
  /**
   * Ends the task by throwing a `Reject`, which the task must not catch. The task fails with
   * `TASK_REJECTED` and its message becomes a dead letter, or goes back into its queue.
   */
  reject(options?: RejectOptions): never;
  /**
   * Ends the task by throwing an `Ignore`, which the task must not catch. Its message is settled
   * and no outcome is stored; a state from `updateState()` stays. In a flow whose next steps need
   * its value, the task fails with `IGNORE_UNSUPPORTED`. A direct call throws the `Ignore`.
   */
  ignore(): never;
  /**
   * Ends the task by throwing a `Replace`, which the task must not catch, and makes the worker run
   * a canvas in its place: the task ends as the canvas does, and its continuations get the canvas's
   * result. `return this.replace(canvas)` keeps the result type. A direct call throws the
   * `Replace`. Throws `INVALID_OPTION` for a value that is not a canvas, and for one with a
   * `taskId`.
   */
  replace<Result>(canvas: Canvas<Result>): Result;
  /**
   * Sends another member of the group that this task is a member of. What waits for the group, such
   * as the body of a chord, waits for it too, and gets its result after those of the other members.
   * Resolves to its handle when the broker has it; await it before the task returns. Another run of
   * the task adds nothing twice: its first call is always the same member, its second the next,
   * whatever their arguments are then. Rejects with `ADD_TO_CHORD_UNSUPPORTED` in a task that is
   * not such a member, and in a direct call; with `CHORD_MEMBER_ENDED` if the task has already
   * ended for its chord, in a faster run; with `INVALID_OPTION` for a canvas that is not a single
   * call, a signature with links or a `taskId`, and one that goes to several queues; and as
   * `delay()` does.
   */
  addToChord<Sent extends Handle>(signature: SingleCall<Sent>): Promise<Sent>;
}

/** The task in which this code runs, at any depth. Throws `NO_CURRENT_TASK` outside one. */
export function currentTask(): TaskContext {
  const context = enclosingTask();
  if (context === undefined) throw new BullrushError("NO_CURRENT_TASK");
  return context;
}

/** The task in which this code runs, if any. @internal */
export function enclosingTask(): TaskContext | undefined {
  // Only `runInTask` creates running tasks, with a context.
  return runningTask() as TaskContext | undefined;
}

/** Runs `body` with `context` as the current task. @internal */
export function runInTask<T>(context: TaskContext, body: () => T): T {
  return runIn(context, body);
}
