import type { AwaitedTask, Loan } from "../running/loan.js";
import { runningTask, type RunningTask } from "../running/running-task.js";
import type { Handle } from "./handle.js";
import { isGroup, type Group, type SingleResult } from "./single-result.js";

/**
 * A wait for results inside a task that a worker runs. The task lends its slot once the results are
 * known not to be there, and gets it back before it goes on.
 */
export class WaitInTask {
  readonly #task: RunningTask;
  readonly #leaves: readonly SingleResult[];
  #pending = false;
  #waiting = false;
  #loan: Loan | undefined;

  constructor(task: RunningTask, leaves: readonly SingleResult[]) {
    this.#task = task;
    this.#leaves = leaves;
  }

  /** Call it when the results are known not to be there yet. */
  readonly onPending = (): void => {
    if (this.#pending) return;
    this.#pending = true;
    // The wait may end in the same turn of the event loop.
    setImmediate(() => this.#lend());
  };

  /** Waits for `promise`. One call at a time. */
  async during<T>(promise: Promise<T>): Promise<T> {
    this.#waiting = true;
    if (this.#pending) this.#lend();
    try {
      return await promise;
    } finally {
      this.#waiting = false;
      const loan = this.#loan;
      this.#loan = undefined;
      if (loan !== undefined) await loan.regain();
    }
  }

  #lend(): void {
    if (this.#waiting) this.#loan ??= this.#task.onWait?.(() => awaitedTasks(this.#leaves));
  }
}

/** A wait for `leaves` in the enclosing task; `undefined` outside one that a worker runs. */
export function waitInTask(leaves: readonly SingleResult[]): WaitInTask | undefined {
  const task = runningTask();
  return task?.onWait === undefined ? undefined : new WaitInTask(task, leaves);
}

/**
 * Calls `wait`, which waits for `leaves` and calls `onPending` once they are known not to have
 * ended, and returns its value.
 */
export function inTask<T>(leaves: readonly SingleResult[], wait: (onPending?: () => void) => Promise<T>): Promise<T> {
  const own = waitInTask(leaves);
  return own === undefined ? wait() : own.during(wait(own.onPending));
}

/**
 * Notes that the enclosing task, if any, reads the result with this id. Resolves when the read may
 * be done.
 */
export async function polledInTask(id: string, ended: boolean, leaves: readonly SingleResult[]): Promise<void> {
  await runningTask()?.onPoll?.(id, ended, () => awaitedTasks(leaves));
}

/** `leaves` and the steps before them, which have to end first. */
function awaitedTasks(leaves: readonly SingleResult[]): readonly AwaitedTask[] {
  const found = new Map<string, AwaitedTask>();
  const open: (SingleResult | Group)[] = [...leaves].toReversed();
  const seen = new Set<Handle>();
  for (let handle = open.pop(); handle !== undefined; handle = open.pop()) {
    if (seen.has(handle)) continue;
    seen.add(handle);
    if (handle.parent !== undefined) open.push(handle.parent as SingleResult | Group);
    if (isGroup(handle)) open.push(...handle.results);
    else found.set(handle.id, handle.reference);
  }
  return [...found.values()];
}
