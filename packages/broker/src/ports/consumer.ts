import type { BullrushError } from "../errors/error.js";
import type { Refusal } from "../errors/refusal-code.js";
import type { Delivery } from "./delivery.js";
import type { Revocation } from "./queues.js";
import type { Retention } from "./retention.js";
import type { Settled, Settlement } from "./settlement.js";

export interface ConsumeOptions {
  /**
   * Queues to take from, in order, with a weight (1 to 100; default 1) and the retention of each
   * (default: that of queues whose results live for a day).
   */
  readonly queues: readonly { readonly name: string; readonly weight?: number; readonly retention?: Retention }[];
  /**
   * `round-robin`: in turn, by weight. `strict`: from a queue only while those before it are empty.
   */
  readonly order: "round-robin" | "strict";
  /**
   * How long a delivery is on loan before others may take it, in ms. Renewed while the task runs.
   */
  readonly lease: number;
  /**
   * How often `recover` is called, in ms: whoever calls it, a queue is not looked through more
   * often than that. Default: a third of the lease.
   */
  readonly scan?: number;
  /** Name of the worker, kept with what it takes. */
  readonly worker: string;
  /**
   * Whether a service may be used that drops what it holds when its memory is full. Default:
   * `false`.
   */
  readonly allowEviction?: boolean;
  /**
   * Longest message that is read, in bytes: a longer one is undecodable, `PAYLOAD_TOO_LARGE`.
   * Default: 8 MiB, or four times the longest message that the engine sends if that is more.
   */
  readonly maxMessageBytes?: number;
  /** Hears of the calls that take. Default: nobody. */
  readonly takeWatch?: TakeWatch;
}

/**
 * Knows which calls that take messages are under way, so that what they took can be put back while
 * nobody reads their replies.
 */
export interface TakeWatch {
  /** A call begins whose deliveries have tokens that start with `token`. Gives a number for it. */
  begun(token: string): number;
  /**
   * The reply to call `number` was read, or will not be. `false`: what it took was put back
   * meanwhile, and is not to be run.
   */
  ended(number: number): boolean;
}

/**
 * Plain data, which can be sent to another thread unless the user's options hold functions other
 * than the one for the password.
 */
export interface LoanData {
  /** Where the loans are, as the guard of the same service reads it. */
  readonly location: unknown;
  /**
   * Whether the password there is asked for anew at each connect, and so may be another one soon.
   */
  readonly rotates: boolean;
  /** What the keys of its queues start with. */
  readonly prefixes: readonly string[];
  /** In ms. */
  readonly lease: number;
  /** Name of the worker. */
  readonly worker: string;
}

/** What a guard thread needs to keep leases while the event loop is blocked. */
export interface Loans {
  readonly data: LoanData;
  /**
   * Calls `listener` with the new data each time that the data changes, because the password has
   * changed. Returns a function that stops the calls.
   */
  watch(listener: (data: LoanData) => void): () => void;
}

/** The consuming side of an engine: a set of queues, taken from as one. */
export interface Consumer {
  /**
   * Connects. Resolves with warnings for the user: the clock of the server is off, or the server
   * may evict messages. Rejects with `REDIS_UNSUITABLE` if eviction is possible and not allowed.
   */
  open(): Promise<readonly string[]>;

  /** What a guard thread needs. Absent from an engine whose state lives in this process. */
  readonly loans?: Loans;

  /**
   * Whether a settlement stores its result in the same step, so that `store` has nothing to do. May
   * change.
   */
  readonly storesInSettlement: boolean;

  /**
   * Stores the results of settlements ahead of `settleAndTake`, which is then faster. Does nothing
   * while `storesInSettlement` is true. Safe to repeat.
   */
  store(settlements: readonly Settlement[]): Promise<void>;

  /**
   * Settles deliveries that have ended, and takes up to `take` messages, in one step. Stores each
   * result that was not stored ahead before it settles its delivery. After a rejection it is safe
   * to repeat: nothing is applied twice. After a lost reply `hasWork` is true, since the lost reply
   * may have held messages.
   */
  settleAndTake(request: { readonly settle: readonly Settlement[]; readonly take: number }): Promise<SettledAndTaken>;

  /** Whether a queue may hold a message that can be taken now, as far as this consumer knows. */
  hasWork(): boolean;

  /** When `hasWork` becomes true without any further news, in ms since the epoch. May be past. */
  nextLookAt(): number;

  /** Makes `hasWork` true: the next take looks into every queue that is not backed off. */
  assumeWork(): void;

  /**
   * Resolves when `hasWork` is worth another call, at the latest after half the time after which a
   * dead connection is noticed. Takes nothing. Call it with a free slot only, since other workers
   * do not learn of the work that this one waits for. One call at a time.
   */
  wait(): Promise<void>;

  /** Stops listening for work: a pending `wait` rejects, and new work goes to other workers. */
  stopListening(): void;

  /** Passes work that this consumer knows of, and has no free slot for, on to other workers. */
  releaseWakeups(): Promise<void>;

  /**
   * Takes nothing from `queue` for `pause` ms. Work that is known there is passed on to other
   * workers.
   */
  backOff(queue: string, pause: number): void;

  /**
   * Moves messages to the front of their queues, the first of them first, if they wait in queues of
   * this consumer and are due. Resolves with whether each was moved. A message is not moved if it
   * is in no queue of this consumer, in a paused one, on loan, or far from both ends of a very long
   * queue. At most 1,000 a call.
   */
  promote(messages: readonly { readonly id: string; readonly queues: readonly string[] }[]): Promise<readonly boolean[]>;

  /** Renews the lease of each delivery. Resolves with those that are lost or revoked. */
  renew(deliveries: readonly Delivery[]): Promise<Renewal>;

  /**
   * Counts that a delivery with a number above 1 starts to run: if it does not end, that was a
   * crash. Resolves with whether the delivery is still on loan. Safe to repeat, as `end` is. The
   * first run of a message is not counted.
   */
  begin(delivery: Delivery): Promise<boolean>;

  /** Counts that a delivery with a lost lease has ended in this worker: that was no crash. */
  end(delivery: Delivery): Promise<void>;

  /**
   * Repairs flows that have made no progress for `stale` ms: sends unsent calls, and continues
   * where a message is gone, with the stored outcome of its task or as revoked. Resolves with the
   * number of repaired flows. Any worker may call it at any time.
   */
  repairFlows(stale: number): Promise<number>;

  /**
   * Puts deliveries with an expired lease back into their queues, and removes what is kept beyond
   * its age. Resolves with the number of deliveries put back. Any worker may call it at any time.
   */
  recover(): Promise<number>;

  /**
   * How many dead letters this consumer has dropped from each queue, for count, size or age, since
   * the last call.
   */
  droppedDeadLetters(): ReadonlyMap<string, number>;

  close(): Promise<void>;
}

export interface Renewal {
  /** Others may run these. */
  readonly lost: readonly Delivery[];
  /** These are to end, at each renewal anew until they are settled. */
  readonly revoked: readonly { readonly delivery: Delivery; readonly revocation: Revocation }[];
}

export interface SettledAndTaken {
  readonly deliveries: readonly Delivery[];
  /** What became of each settlement, in their order. */
  readonly settled: readonly Settled[];
  /**
   * Why something was not taken or settled: the user of the Redis may not do it. `REDIS_AUTH`;
   * absent for most.
   */
  readonly refused?: BullrushError;
  /**
   * Why each settlement was refused that is to be repeated, as far as that is known, in their
   * order.
   */
  readonly refusals?: readonly (Refusal | undefined)[];
  /**
   * Queues of which something could not be taken because of what their keys hold. Absent for most.
   */
  readonly faults?: readonly QueueFault[];
}

/**
 * A queue from which something could not be taken. It rests for a second, unless only single
 * messages are at fault.
 */
export interface QueueFault {
  readonly queue: string;
  /** Why nothing could be taken. Absent if only the keys of single messages hold something else. */
  readonly refusal?: Refusal;
  /** How many messages of this take stay on loan to nobody until they are looked for. */
  readonly left: number;
}
