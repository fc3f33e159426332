import type { BullrushError } from "../errors/error.js";
import type { RoutedMessage } from "../protocol/message.js";

/** The queues of an engine, as producers and operators see them. */
export interface Queues {
  /**
   * Enqueues each message in its queue. Settles within the deadline (5 s by default, for each 5,000
   * messages), one entry per message in their order: `undefined` when the broker confirmed it, else
   * the error for that one. A message that was not confirmed may still be delivered; publishing it
   * again with the same id is safe.
   */
  publish(messages: readonly RoutedMessage[]): Promise<readonly (BullrushError | undefined)[]>;

  /**
   * Where these tasks are, in one round trip, or several for very many tasks that are looked for in
   * very many queues.
   */
  locate(tasks: readonly TaskQuery[]): Promise<readonly Location[]>;

  /** How many messages each queue holds. */
  counts(queues: readonly string[]): Promise<readonly QueueCounts[]>;

  /**
   * Removes what the broker keeps of tasks that have ended, among the finished jobs and the dead
   * letters of `queues` and of all queues to which a message was ever sent, and the messages of
   * tasks that are revoked and wait. Says of each what is left.
   */
  forget(ids: readonly string[], queues: readonly string[]): Promise<readonly Remains[]>;

  /** Removes all messages that wait in `queue`, delayed ones included, and says how many. */
  purge(queue: string): Promise<number>;

  /**
   * Marks messages as revoked, wherever in `queues` they are and if they have not ended: whoever
   * takes one drops it, and whoever runs one hears of it at the next `renew`. One of a flow that is
   * not due yet becomes due: what follows upon it does not wait for its time. One call, however
   * many ids; a thousand keep Redis for about 10 ms, and for twice that if their messages are long.
   * Says for each, in their order, what was found.
   * @param elsewhere whether they may also be in any other queue to which a message was ever sent.
   * Default: false
   */
  revoke(ids: readonly string[], queues: readonly string[], revocation: Revocation, elsewhere?: boolean): Promise<readonly Marked[]>;
}

/**
 * What is left of a task that was forgotten: nothing, or its message, which waits or is on loan to
 * a worker.
 */
export type Remains = "gone" | "waiting" | "running";

/** A task that is looked for. */
export interface TaskQuery {
  readonly id: string;
  /** Queues that are looked into first. */
  readonly queues: readonly string[];
  /** Whether all other queues to which a message was ever sent come next. Default: false. */
  readonly elsewhere?: boolean;
}

/**
 * `waiting`: in a queue, due or not; `taken`: on loan to a worker; `absent`: in none of the queues,
 * or finished. With why it was `revoked`: in a queue, and whoever takes it will drop it.
 */
export type Location = "waiting" | "absent" | { readonly revoked: string } | { readonly taken: Loan };

/** What the broker knows of a message that is on loan to a worker. */
export interface Loan {
  readonly queue: string;
  /** Name of the task. */
  readonly task: string;
  /** Name of the worker; absent if whoever took it gave none. */
  readonly worker?: string;
  /** Since when, in ms since the epoch, by the clock of the worker. */
  readonly since?: number;
  /** Which attempt it is; the first is 1. */
  readonly attempt: number;
  /** How often it was taken. */
  readonly delivery: number;
  /** What is left of its lease, in ms: the worker renews it. `Infinity` if it has no end. */
  readonly lease: number;
}

/** What became of a message that was to be revoked. */
export type Marked =
  /** It is in none of the queues, or has ended: nothing was marked. */
  | { readonly location: "absent" | "ended" }
  | {
      readonly location: "waiting" | "taken";
      readonly queue: string;
      /** Name of the task. */
      readonly task: string;
      /**
       * Channel on the result backend on which its sender waits. Not read of what is left after 8
       * MiB of messages: its senders look.
       */
      readonly replyTo?: string | undefined;
      /** When it is due, in ms since the epoch; absent if it is. */
      readonly due?: number | undefined;
    };

export interface QueueCounts {
  readonly queue: string;
  readonly waiting: number;
  readonly delayed: number;
  readonly active: number;
  readonly completed: number;
  readonly failed: number;
}

/** The wish that a task be called off. */
export interface Revocation {
  /** Why; of several, the first stands. */
  readonly reason: string;
  /** Whether it is to be ended at once instead of asked to end. */
  readonly terminate: boolean;
}
