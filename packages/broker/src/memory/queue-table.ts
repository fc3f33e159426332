import type { HeldMessage } from "./held-message.js";
import { MessageQueue, type Arrival } from "./message-queue.js";
import type { SpaceTime } from "./space-time.js";

/** What queues hold at one moment. */
export interface Workload {
  /** How many messages workers have on loan. */
  readonly running: number;
  /**
   * When the next message can be taken, in ms since the epoch: 0 if one can be taken already,
   * `Infinity` if none waits.
   */
  readonly nextDue: number;
}

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

  /** What these queues hold now; all, without `names`. */
  workload(names: readonly string[] = [...this.#queues.keys()]): Workload {
    const queues = this.named(names);
    const now = this.#time.now();
    return {
      running: queues.reduce((sum, queue) => sum + queue.counts().active, 0),
      nextDue: Math.min(Infinity, ...queues.map((queue) => (queue.hasReady(now) ? 0 : queue.nextDue()))),
    };
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
