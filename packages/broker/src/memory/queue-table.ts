import type { HeldMessage } from "./held-message.js";
import { MessageQueue, type Arrival } from "./message-queue.js";
import type { SpaceTime } from "./space-time.js";

/** The queues of a space, by name: those to which a message was ever sent. */
export class QueueTable {
  readonly #time: SpaceTime;
  readonly #queues = new Map<string, MessageQueue>();
  readonly #wakeups = new Set<() => void>();

  constructor(time: SpaceTime) {
    this.#time = time;
  }

  find(name: string): MessageQueue | undefined {
    return this.#queues.get(name);
  }

  /** The queues with these names, as far as they exist, and all others if `elsewhere` is true. */
  named(names: readonly string[], elsewhere = false): readonly MessageQueue[] {
    const all = elsewhere ? new Set([...names, ...this.#queues.keys()]) : names;
    return [...all].flatMap((name) => this.#queues.get(name) ?? []);
  }

  /** Enqueues a message, unless one with its id is there. */
  add(name: string, arrival: Arrival, due = 0): void {
    let queue = this.#queues.get(name);
    if (queue === undefined) this.#queues.set(name, (queue = new MessageQueue(name)));
    queue.add(arrival, due, this.#time.now());
    this.wake();
  }

  /**
   * Marks a message as revoked; the first reason stands. One of a flow that is not due yet becomes
   * due, since what follows upon it does not wait for its time.
   */
  revoke(name: string, message: HeldMessage, reason: string, isOfFlow: boolean): void {
    message.revoked ??= reason;
    const now = this.#time.now();
    if (message.place === "delayed" && message.due > now && isOfFlow) this.#queues.get(name)?.delay(message, now);
    this.wake();
  }

  /**
   * Calls `listener` whenever there may be something new to take, or to wait for. Returns a
   * function that stops the calls.
   */
  onNews(listener: () => void): () => void {
    this.#wakeups.add(listener);
    return () => void this.#wakeups.delete(listener);
  }

  /** Tells all who listen that there may be something new. */
  wake(): void {
    for (const listener of [...this.#wakeups]) listener();
  }
}
