import { AsyncResource } from "node:async_hooks";

/** What is said to all who listen at that moment. */
export class Topic<T> {
  readonly #listeners = new Map<object, (said: T) => void>();

  /**
   * Calls `listener` with what is said from now on, never before `say` has returned. Returns a
   * function that stops the calls.
   */
  subscribe(listener: (said: T) => void): () => void {
    const key = {};
    // A listener runs in the asynchronous context of whoever subscribed, not of whoever says
    // something.
    this.#listeners.set(key, AsyncResource.bind(listener));
    return () => void this.#listeners.delete(key);
  }

  /** @param said makes what is said, anew for each listener: none sees what another changes */
  say(said: () => T): void {
    for (const key of this.#listeners.keys()) queueMicrotask(() => this.#listeners.get(key)?.(said()));
  }
}
