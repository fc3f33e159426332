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
  /** When it was to run at the earliest. */
  readonly eta: Date | undefined;
  /** When it would have been revoked instead of run. */
  readonly expires: Date | undefined;
  readonly headers: Readonly<Record<string, Json>>;
  /** Priority in its queue, 0 (first) to 9; 0 in a direct call. */
  readonly priority: number;
  /** How long this attempt may run before it is killed, in ms, by its call, its declaration or its worker. `undefined`: no limit. */
  readonly timeLimit: number | undefined;
  /** How long this attempt may run before its `signal` aborts, in ms. `undefined`: no limit. */
  readonly softTimeLimit: number | undefined;
  /**
   * Aborts when the worker wants the task to end: it was revoked (the reason is a `TaskRevokedError`), its soft time limit is over (a
   * `SoftTimeLimitExceeded`) or, where nothing can be killed, its time limit; at the end of a shutdown's patience; or when its lease is lost
   * and others may run it.
   */
  readonly signal: AbortSignal;
  /** Writes lines that carry the task's name and id. */
  readonly log: Log;
  /**
   * Stores the state PROGRESS with `meta`, for `AsyncResult.iterate()` and `info()`; `meta` is what JSON can carry. The first time at once, then the latest each 100 ms: it may be called as often as one likes.
   * Resolves when it is stored, or at once when it is only remembered.
   */
  progress(meta: unknown): Promise<void>;
  /** Stores a state of your own, in capitals, with `meta`, at once if it is another than before, else as `progress` does. It lasts until the task ends. */
  updateState(state: string, meta?: unknown): Promise<void>;
  /**
   * Ends this attempt by throwing a `Retry`, which the task has to let pass, and has the worker run it again, under the same id: `return this.retry({ error })` keeps the type of the result. When it has been
   * retried as often as it may, it fails with `error`, else with `MAX_RETRIES_EXCEEDED`. In a direct call it throws `error`. Throws `INVALID_OPTION`.
   */
  retry(options?: RetryOptions): never;
  /** Ends the task by throwing a `Reject`, which the task has to let pass: it fails with `TASK_REJECTED` and its message is kept, or goes back into its queue. */
  reject(options?: RejectOptions): never;
  /**
   * Ends the task by throwing an `Ignore`, which the task has to let pass: its message is done, and nothing is stored of how it ended. What it stored before with `updateState()` stays. A part of a
   * flow, whose value others wait for, fails with `IGNORE_UNSUPPORTED`. In a direct call it throws the `Ignore`.
   */
  ignore(): never;
  /**
   * Ends the task by throwing a `Replace`, which the task has to let pass, and has the worker run a canvas in its place: how that ends, the task ends, and what follows
   * upon the task gets its result. `return this.replace(canvas)` keeps the type of the result. In a direct call it throws the `Replace`. Throws `INVALID_OPTION` for
   * what is no canvas, and for one that was given a `taskId`.
   */
  replace<Result>(canvas: Canvas<Result>): Result;
  /**
   * Sends a further member of the group that this task is a member of, at once: what waits for the group, such as the body of a chord, waits for it too, and gets its result behind those of all other
   * members. Resolves with the handle on it once the broker has it; await it before the task returns. A task that is run again adds nothing twice: its first call is always the same member, its second
   * another, whatever they are given in a later run. Rejects with `ADD_TO_CHORD_UNSUPPORTED` in a task that is no such member, and in a direct call; with `CHORD_MEMBER_ENDED` when the task has ended for
   * its chord, since another run of it was faster; with `INVALID_OPTION` for a canvas that is no single call, a signature with links or a `taskId`, and one that goes to several queues; and as `delay()` does.
   */
  addToChord<Sent extends Handle>(signature: SingleCall<Sent>): Promise<Sent>;
}

/** The task in which this code runs, however deep below it. Throws `NO_CURRENT_TASK` outside one. */
export function currentTask(): TaskContext {
  const context = enclosingTask();
  if (context === undefined) throw new BullrushError("NO_CURRENT_TASK");
  return context;
}

/** The task in which this code runs, if any. @internal */
export function enclosingTask(): TaskContext | undefined {
  // Tasks run by `runInTask` alone.
  return runningTask() as TaskContext | undefined;
}

/** Runs `body` with `context` as the current task. @internal */
export function runInTask<T>(context: TaskContext, body: () => T): T {
  return runIn(context, body);
}
