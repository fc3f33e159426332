import { AsyncResource } from "node:async_hooks";

type Listener = (reason: Error) => void;

/**
 * The wish that a task end, at two levels: it is asked to, or what it runs in is killed. The signal is made when it is first looked at:
 * most tasks never do, and an AbortController costs more than a small task.
 */
export class Stop {
  #requested: Error | undefined;
  #killed: Error | undefined;
  #controller: AbortController | undefined;
  /** Aborts the signal where it was first looked at, in the task: what its listeners throw is of that task, and of nobody else. */
  #abort: Listener | undefined;
  #onRequest: Listener[] | undefined;
  #onKill: Listener[] | undefined;

  /** Whether the task is to end, at either level. */
  get requested(): boolean {
    return this.#requested !== undefined;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      const controller = new AbortController();
      this.#controller = controller;
      this.#abort = AsyncResource.bind((reason: Error) => controller.abort(reason));
      if (this.#requested !== undefined) controller.abort(this.#requested);
    }
    return this.#controller.signal;
  }

  /** Aborts the signal with `reason`; only the first one counts. */
  request(reason: Error): void {
    if (this.#requested !== undefined) return;
    this.#requested = reason;
    this.#abort?.(reason);
    for (const listener of this.#onRequest ?? []) listener(reason);
  }

  /**
   * Asks the task to end, and ends the runner that it is in at once. Inline there is nothing to end: whoever calls this sees to the slot
   * itself, and ignores what the task comes to. Only the first reason counts.
   */
  kill(reason: Error): void {
    if (this.#killed !== undefined) return;
    this.#killed = reason;
    this.request(reason);
    for (const listener of this.#onKill ?? []) listener(reason);
  }

  /** Calls `listener` once, when the task is asked to end; at once if it was. */
  onRequest(listener: Listener): void {
    if (this.#requested !== undefined) listener(this.#requested);
    else (this.#onRequest ??= []).push(listener);
  }

  /** Calls `listener` once, when the task is killed; at once if it was. */
  onKill(listener: Listener): void {
    if (this.#killed !== undefined) listener(this.#killed);
    else (this.#onKill ??= []).push(listener);
  }

  /** One that hears all that this one hears, while what is asked of it does not come here. */
  branch(): Stop {
    const stop = new Stop();
    this.onRequest((reason) => stop.request(reason));
    this.onKill((reason) => stop.kill(reason));
    return stop;
  }
}
