import { AsyncLocalStorage } from "node:async_hooks";
import type { AwaitedTasks, Loan } from "./loan.js";

/** A running task, as far as sending and waiting inside it need to know it. */
export interface RunningTask {
  /** UUID, the same at every attempt: the task's idempotency key. */
  readonly id: string;
  /** The queue that it came through; `local` in a direct call. */
  readonly queue: string;
  /** Name of the worker; `local` in a direct call. */
  readonly worker: string;
  /** The first task of its flow; its own id outside of flows. */
  readonly rootId: string;
  /** @internal Called with each task that this one has sent. */
  onSent?(id: string): void;
  /**
   * @internal The pool of runners that runs it, where a waiting task keeps its slot. Absent inline
   * and in a direct call.
   */
  readonly runnerPool?: "threads" | "processes" | undefined;
  /**
   * @internal Called when the task waits for results that are not there. Returns the loan of its
   * slot, or nothing if it keeps the slot.
   */
  onWait?(awaited: AwaitedTasks): Loan | undefined;
  /**
   * @internal Called each time the task reads the result with this id, with what it saw. The read
   * resolves after the returned promise.
   */
  onPoll?(id: string, ended: boolean, awaited: AwaitedTasks): Promise<void> | undefined;
}

// One for the process, even if a module loader creates a second copy of this package.
const slot = Symbol.for("bullrush.current-task");
const shared = globalThis as { [slot]?: AsyncLocalStorage<RunningTask> };
const storage = (shared[slot] ??= new AsyncLocalStorage<RunningTask>());

/** The task in which this code runs, at any depth; `undefined` outside one. */
export function runningTask(): RunningTask | undefined {
  return storage.getStore();
}

/** The `queue` and `worker` of a direct call. */
export const local = "local";

/**
 * The parent of tasks that this code sends: the running task, unless it was called directly, in
 * which case nobody else knows its id.
 */
export function sendingTask(): RunningTask | undefined {
  const task = runningTask();
  return task?.worker === local && task.queue === local ? undefined : task;
}

/** Runs `body` outside any task, so that what it starts and throws belongs to no task. @internal */
export function outsideTask<T>(body: () => T): T {
  return storage.exit(body);
}

/** Runs `body` in `task`. */
export function runIn<T>(task: RunningTask, body: () => T): T {
  return storage.run(task, body);
}
