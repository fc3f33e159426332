import type { BullrushError } from "../errors/error.js";
import type { Message } from "../protocol/message.js";

/** A message on loan to this worker. */
export interface Delivery {
  readonly queue: string;
  /** The id under which the queue holds it: the message's own, or that of a plain BullMQ job. */
  readonly id: string;
  /** How often it was taken: the fence of its result. */
  readonly number: number;
  /**
   * How often it has ended before: each attempt that was followed by another, and each end after
   * which a tool sent it round again.
   */
  readonly endedBefore: number;
  /**
   * How often it began to run and whoever ran it died: 0 for most, and for what was only put back.
   */
  readonly crashes: number;
  /** Why it must not run any more; absent unless somebody has revoked it. */
  readonly revoked?: string;
  /** How it is known to have ended, so that it must not run again; absent for most. */
  readonly verdict?: Verdict;
  /**
   * Since when workers have put it back because they do not know its task or its version, ms since
   * the epoch; absent for most.
   */
  readonly unknownSince?: number;
  /** Length of the message on the wire, in bytes. Default: 0. */
  readonly bytes?: number;
  /** Proof of the loan; fresh at every take. */
  readonly token: string;
  /** The call, or why it cannot be read. */
  readonly content: Content;
}

/**
 * `succeeded`: a delivery before this one did, after its lease had run out, and its task stores no
 * result. `time-limit`: a delivery before this one ran for longer than `limit` ms and could only be
 * ended together with its process.
 */
export type Verdict = { readonly type: "succeeded" } | { readonly type: "time-limit"; readonly limit: number };

export type Content =
  | {
      readonly type: "message";
      readonly message: Message;
      /**
       * The message as `readMessage` reads it: the arguments of `message` are handed to the task,
       * which may change them.
       */
      readonly text?: string;
    }
  /** A job of a plain BullMQ producer. */
  | { readonly type: "external"; readonly message: Message }
  | {
      readonly type: "undecodable";
      readonly error: BullrushError;
      /** Name of the task; only of a message of another version, which another worker may read. */
      readonly taskOfOtherVersion?: string;
    };
