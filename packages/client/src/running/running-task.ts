import { AsyncLocalStorage } from "node:async_hooks";
import type { AwaitedTasks, Loan } from "./loan.js";

/** A task that runs, as far as what it sends and what it waits for have to know it. */
export interface RunningTask {
  /** UUID; the same at every attempt, and so the key with which the task can make its effects idempotent. */
  readonly id: string;
  /** The queue that it came through; `local` in a direct call. */
  readonly queue: string;
  /** Name of the worker; `local` in a direct call. */
  readonly worker: string;
  /** The first task of the flow that this one belongs to; its own id when it stands alone. */
  readonly rootId: string;
  /** @internal Hears of each task that this one has sent. */
  onSent?(id: string): void;
  /** @internal The pool of runners that runs it, in which a task that waits for results keeps its slot. Absent inline and in a direct call. */
  readonly runnerPool?: "threads" | "processes" | undefined;
  /** @internal Hears that the task waits for results that are not there. Returns the loan of its slot, unless it keeps it. */
  onWait?(awaited: AwaitedTasks): Loan | undefined;
  /**
   * @internal Hears each time that the task has looked whether the result with this id is there, and what it saw. The look resolves when the returned promise
   * does.
   */
  onPoll?(id: string, ended: boolean, awaited: AwaitedTasks): Promise<void> | undefined;
}

// One for the process, also when a module loader makes a second copy of this package.
const slot = Symbol.for("bullrush.current-task");
const shared = globalThis as { [slot]?: AsyncLocalStorage<RunningTask> };
const storage = (shared[slot] ??= new AsyncLocalStorage<RunningTask>());

/** The task in which this code runs, however deep below it; `undefined` outside one. */
export function runningTask(): RunningTask | undefined {
  return storage.getStore();
}

/** What `queue` and `worker` are in a direct call. */
export const local = "local";

/** The task that is the parent of what this code sends: the one that runs, unless it was called directly, and nobody else knows its id. */
export function sendingTask(): RunningTask | undefined {
  const task = runningTask();
  return task?.worker === local && task.queue === local ? undefined : task;
}

/** Runs `body` outside any task: what it starts, and what that throws, is of nobody in particular. @internal */
export function outsideTask<T>(body: () => T): T {
  return storage.exit(body);
}

/** Runs `body` in `task`. */
export function runIn<T>(task: RunningTask, body: () => T): T {
  return storage.run(task, body);
}
