import type { BullrushError } from "../error.js";
import type { Flow, FlowAddition } from "../protocol/flow.js";
import type { Message, RoutedMessage } from "../protocol/message.js";
import type { Outcome } from "../protocol/outcome.js";
import type { Retention } from "./retention.js";
import type { StoreRequest } from "./result-backend.js";
import type { WorkerNames } from "./worker-names.js";

/** What is left of a task that was forgotten: nothing, or its message, which waits or is on loan to a worker. */
export type Left = "gone" | "waiting" | "running";

/** The service that holds queues, as producers see it. */
export interface Transport {
  /**
   * Enqueues each message in its queue. Settles within the deadline (5 s by default, for each 5,000 messages), one entry per message in their order: `undefined` when the broker confirmed it,
   * else the error for that one. A message that was not confirmed may still be delivered; publishing it again with the same id is safe.
   */
  publish(messages: readonly RoutedMessage[]): Promise<readonly (BullrushError | undefined)[]>;

  /**
   * Keeps `flow` on the broker until all its calls have ended, and begins it. Resolves once confirmed. Rejects within the deadline (5 s by default), or a multiple of it
   * for one of many thousand calls; starting it again, with the same id, is safe.
   */
  startFlow(flow: Flow): Promise<void>;

  /**
   * Adds a member to a group whose join has not let pass its values, and sends it: its value comes behind those of all other members. Gives `added`; `known` if one with its id was added before, which
   * stands; `ended` if the call that adds it has ended in the flow, or there is no such flow. Rejects within the deadline (5 s by default); adding it again, with the same id, is safe.
   */
  addMember(addition: FlowAddition): Promise<Added>;

  /**
   * Sees to it that calls of a flow, all but its links or those with these numbers, do not run if they are revoked before their turn comes. Gives those that have not ended,
   * for whoever calls this to revoke; `undefined` when there is no such flow (any more).
   */
  revokeFlow(flow: string, calls: "all" | readonly number[]): Promise<FlowRevocation | undefined>;

  /** Whether messages that say so are part of flows, and stand for other tasks, as their flows say. One command for all flows that were not asked for lately. */
  standings(messages: readonly { readonly queue: string; readonly message: Message }[]): Promise<readonly Standing[]>;

  /** Where these tasks are, in one round trip, or several for very many tasks that are looked for in very many queues. */
  locate(tasks: readonly Sought[]): Promise<readonly Location[]>;

  /** How many messages each queue holds. */
  counts(queues: readonly string[]): Promise<readonly QueueCounts[]>;

  /**
   * Removes what the broker keeps of tasks that have ended, among the finished jobs and the dead letters of `queues` and of all queues to which a message was ever sent, and the messages of tasks that
   * are revoked and wait. Says of each what is left.
   */
  forget(ids: readonly string[], queues: readonly string[]): Promise<readonly Left[]>;

  /** Removes all messages that wait in `queue`, delayed ones included, and says how many. */
  purge(queue: string): Promise<number>;

  /**
   * Marks messages as revoked, wherever in `queues` they are and if they have not ended: whoever takes one drops it, and whoever runs one
   * hears of it at the next `renew`. One of a flow that is not due yet becomes due: what follows upon it does not wait for its time. One call, however many ids; a thousand keep Redis for about 10 ms, and for twice that if their
   * messages are long. Says for each, in their order, what was found.
   * @param elsewhere whether they may also be in any other queue to which a message was ever sent. Default: false
   */
  revoke(ids: readonly string[], queues: readonly string[], revocation: Revocation, elsewhere?: boolean): Promise<readonly Marked[]>;

  /** The names of the workers that take from the queues of this prefix. */
  readonly workerNames: WorkerNames;

  /** Opens the consuming side of some queues. */
  consume(options: ConsumeOptions): Consumer;

  /** Closes all connections, within 5 s, whatever state the broker is in. */
  close(): Promise<void>;
}

/** A task that is looked for. */
export interface Sought {
  readonly id: string;
  /** Queues that are looked into first. */
  readonly queues: readonly string[];
  /** Whether all other queues to which a message was ever sent come next. Default: false. */
  readonly elsewhere?: boolean;
}

/**
 * `waiting`: in a queue, due or not; `taken`: on loan to a worker; `absent`: in none of the queues, or finished. With why it was `revoked`:
 * in a queue, and whoever takes it will drop it.
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

/** What became of a member that was to be added to a group. */
export type Added = "added" | "known" | "ended";

/** What was to be revoked with a flow, as far as it has not ended. */
export interface FlowRevocation {
  /** Ids of the tasks. */
  readonly ids: readonly string[];
  /** Queues in which they may be. */
  readonly queues: readonly string[];
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
      /** Channel on the result backend on which its sender waits. Not read of what is left after 8 MiB of messages: its senders look. */
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

export interface ConsumeOptions {
  /** Queues to take from, the order of taking among them, the weight of each (1 to 100; default 1), and what each keeps (by default what queues keep while results live for a day). */
  readonly queues: readonly { readonly name: string; readonly weight?: number; readonly retention?: Retention }[];
  /** `round-robin`: in turn, by weight. `strict`: from a queue only while those before it are empty. */
  readonly order: "round-robin" | "strict";
  /** How long a delivery is on loan before others may take it, in ms. Renewed while the task runs. */
  readonly lease: number;
  /** How often `recover` is called, in ms: whoever calls it, a queue is not looked through more often than that. Default: a third of the lease. */
  readonly scan?: number;
  /** Name of the worker, kept with what it takes. */
  readonly worker: string;
  /** Whether a service may be used that drops what it holds when its memory is full. Default: `false`. */
  readonly allowEviction?: boolean;
  /** Longest message that is read, in bytes: a longer one is undecodable, `PAYLOAD_TOO_LARGE`. Default: 8 MiB, or four times the longest that the transport sends if that is more. */
  readonly longestMessage?: number;
  /** Hears of the calls that take. Default: nobody. */
  readonly takeWatch?: TakeWatch;
}

/** Knows which calls that take messages are under way, so that what they took can be put back while nobody reads their replies. */
export interface TakeWatch {
  /** A call begins whose deliveries have tokens that start with `token`. Gives a number for it. */
  begun(token: string): number;
  /** The reply to call `number` was read, or will not be. `false`: what it took was put back meanwhile, and is not to be run. */
  ended(number: number): boolean;
}

/** All that another thread needs to look after the loans of a consumer: plain data, which can be sent to it unless the user's options hold functions other than that for the password. */
export interface LoanData {
  /** Where the loans are, as the guard of the same service reads it. */
  readonly location: unknown;
  /** Whether the password there is asked for anew at each connect, and so may be another one soon. */
  readonly rotates: boolean;
  /** What the keys of its queues start with. */
  readonly prefixes: readonly string[];
  /** In ms. */
  readonly lease: number;
  /** Name of the worker. */
  readonly worker: string;
}

/** The consuming side of the service: a set of queues, taken from as one. */
export interface Consumer {
  /** Connects, and gives what its user should know of this Redis: that its clock is off, or that it may evict messages. Rejects with `REDIS_UNSUITABLE` if it may, and that is not allowed. */
  open(): Promise<readonly string[]>;

  /** What another thread needs to look after the loans of this consumer, as `@bullrush/broker/guard` takes it. */
  readonly loanData: LoanData;

  /** Calls `listener` with `loanData` each time that it has changed, because there is another password; call the returned function to stop. */
  watchLoanData(listener: (loans: LoanData) => void): () => void;

  /** Whether an exchange stores results in its own call, so that there is nothing to store ahead of it. May change. */
  readonly storesAlong: boolean;

  /** Stores the results of settlements ahead of their exchange, which then has less to wait for. Does nothing while `storesAlong`. Safe to repeat. */
  store(settlements: readonly Settlement[]): Promise<void>;

  /**
   * Settles what has ended and takes up to `take` messages, in one call. Stores each result that was not stored ahead before it settles its delivery. Safe to repeat when it rejects: what had been
   * applied is not applied twice. When the reply to a take was lost, `mayTake` holds: what was asked may hold something that nobody hears of.
   */
  exchange(request: { readonly settle: readonly Settlement[]; readonly take: number }): Promise<Exchange>;

  /** Whether a queue may hold a message that can be taken now, as far as the last exchanges and rings tell. */
  mayTake(): boolean;

  /** When `mayTake` holds if nothing is heard before, in ms since the epoch. May be past. */
  nextLook(): number;

  /** Has `mayTake` hold, and the next take look into every queue that does not rest. */
  doubt(): void;

  /**
   * Waits until `mayTake` is worth asking again, at most half the time after which a dead connection is noticed. Takes nothing. Call it with a slot free: what one
   * worker hears, others do not. One call at a time.
   */
  ring(): Promise<void>;

  /** Stops listening: a `ring` that waits rejects, and what comes from now on is left to other workers. */
  mute(): void;

  /** Gives what was heard here and cannot be answered, for want of a slot, to the other workers. Does nothing when there is nothing to give. */
  passOn(): Promise<void>;

  /** Takes nothing from `queue` for `pause` ms; what was heard of it, or is, is given to the other workers. */
  rest(queue: string, pause: number): void;

  /**
   * Moves those of these messages to the front of their queues that wait in queues of this consumer and are due, the first of them first. Says for each whether it was moved: not if it is in
   * none of these queues, in a paused one, on loan, or far from both ends of a very long queue. At most 1,000 in one call.
   */
  promote(messages: readonly { readonly id: string; readonly queues: readonly string[] }[]): Promise<readonly boolean[]>;

  /** Renews the lease of each delivery, and says which are lost and which were revoked since they were taken. */
  renew(deliveries: readonly Delivery[]): Promise<Renewal>;

  /**
   * Counts that a delivery, taken for the second time or more, begins to run: if it does not end, that was a crash. Gives whether it is still on loan. Safe to repeat, as `end` is. The first
   * run of a message needs no counting.
   */
  begin(delivery: Delivery): Promise<boolean>;

  /** Counts that a delivery whose lease was lost has ended here all the same: that was no crash. */
  end(delivery: Delivery): Promise<void>;

  /**
   * Looks after flows that have not gone on for `stale` ms: sends what is left to send, and goes on where a message has gone without a trace, with what its task came to, or as revoked. Gives how many
   * it mended. Any worker may do it at any time.
   */
  mendFlows(stale: number): Promise<number>;

  /** Puts deliveries whose lease ran out back into their queues, and says how many; removes what is kept for longer than its age. Any worker may do it at any time. */
  recover(): Promise<number>;

  /** How many dead letters each queue has lost for want of room or for their age, by this consumer since the last call. */
  droppedDeadLetters(): ReadonlyMap<string, number>;

  close(): Promise<void>;
}

export interface Renewal {
  /** Others may run these. */
  readonly lost: readonly Delivery[];
  /** These are to end, at each renewal anew until they are settled. */
  readonly revoked: readonly { readonly delivery: Delivery; readonly revocation: Revocation }[];
}

/** The wish that a task be called off. */
export interface Revocation {
  /** Why; of several, the first stands. */
  readonly reason: string;
  /** Whether it is to be ended at once instead of asked to end. */
  readonly terminate: boolean;
}

/** A message on loan to this worker. */
export interface Delivery {
  readonly queue: string;
  /** The id under which the queue holds it: the message's own, or that of a plain BullMQ job. */
  readonly id: string;
  /** How often it was taken: the fence of its result. */
  readonly number: number;
  /** How often it has ended before: each attempt that was followed by another, and each end after which a tool sent it round again. */
  readonly endedBefore: number;
  /** How often it began to run and whoever ran it died: 0 for most, and for what was only put back. */
  readonly crashes: number;
  /** Why it must not run any more; absent unless somebody has revoked it. */
  readonly revoked?: string;
  /** How it is known to have ended, so that it must not run again; absent for most. */
  readonly verdict?: Verdict;
  /** Since when workers have put it back because they do not know its task or its version, ms since the epoch; absent for most. */
  readonly unknownSince?: number;
  /** Length of the message on the wire, in bytes. Default: 0. */
  readonly bytes?: number;
  /** Proof of the loan; fresh at every take. */
  readonly token: string;
  /** The call, or why it cannot be read. */
  readonly content: Content;
}

/**
 * `succeeded`: a delivery before this one did, after its lease had run out, and its task stores no result. `time-limit`: a delivery before this one ran for longer than `limit` ms and
 * could only be ended together with its process.
 */
export type Verdict = { readonly type: "succeeded" } | { readonly type: "time-limit"; readonly limit: number };

export type Content =
  | {
      readonly type: "message";
      readonly message: Message;
      /** The message as `readMessage` reads it: the arguments of `message` are handed to the task, which may change them. */
      readonly text?: string;
    }
  /** A job of a plain BullMQ producer. */
  | { readonly type: "foreign"; readonly message: Message }
  | {
      readonly type: "undecodable";
      readonly error: BullrushError;
      /** Name of the task; only of a message of a newer version, which another worker may read. */
      readonly newerTask?: string;
    };

/** What became of a delivery. */
export interface Settlement {
  readonly delivery: Delivery;
  readonly outcome: Outcome;
  /** What to keep in the result backend; absent when nothing is. */
  readonly store?: StoreRequest;
  /** The same for the tasks that this one stands for. */
  readonly copies?: readonly StoreRequest[];
}

/** `sound`: as its flow says. `ended`: there is no such flow any more, or it cannot be read. `forged`: the flow says something else. */
export type Standing = "sound" | "ended" | "forged";

export interface Exchange {
  readonly deliveries: readonly Delivery[];
  /** What became of each settlement, in their order. */
  readonly settled: readonly Settled[];
  /** Why something was not taken or settled: the user of the Redis may not do it. `REDIS_AUTH`; absent for most. */
  readonly refused?: BullrushError;
  /** Why each was refused that is to be settled again, in the broker's words, as far as they are known. */
  readonly refusals?: readonly (string | undefined)[];
  /** Queues of which something could not be taken because of what their keys hold. Absent for most. */
  readonly faults?: readonly QueueFault[];
}

/** A queue of which something could not be taken. It rests for a second, unless that is of single messages. */
export interface QueueFault {
  readonly queue: string;
  /** Why nothing could be taken, in the broker's words; absent if that is of single messages, whose keys hold something else. */
  readonly reason?: string;
  /** How many messages of this take stay on loan to nobody until they are looked for. */
  readonly left: number;
}

/**
 * `settled`: done, also when the lease had run out and the task has succeeded first. `lost`: the lease had run out and the message is somebody else's, or it was settled by an earlier exchange whose reply was lost. `again`: the broker refused for
 * now, settle it once more.
 */
export type Settled = "settled" | "lost" | "again";
