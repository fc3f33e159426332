import type { Failure } from "./failure.js";
import type { Message, RoutedMessage } from "./message.js";
import type { Target } from "./flow-position.js";

/**
 * Tasks that follow upon each other, as plain data: a canvas, compiled. Its calls are numbered by their positions in `calls`, its joins by
 * theirs in `joins`. Where the value of a call goes stands in the call's own message.
 */
export interface Flow {
  /** UUID. */
  readonly id: string;
  readonly calls: readonly FlowCall[];
  readonly joins: readonly FlowJoin[];
  /** What begins at once. */
  readonly entries: readonly Target[];
  /** Channel on the result backend on which the sender waits. */
  readonly replyTo?: string;
  /** How long the results of calls are kept that do not run, because what they need has failed; in ms. */
  readonly expires: number;
  /** Longest value that is passed on, in bytes. */
  readonly maxPayload: number;
}

/** One message of a flow. */
export interface FlowCall extends RoutedMessage {
  /** Without the value that is put before its arguments. The first of its `positions` is its own in this flow. */
  readonly message: Message;
  /** Whether the value that comes to it is put before its arguments. */
  readonly takesValue: boolean;
  /** Whether it is a link, or part of one: what is told of the end of a flow is not called off with it. Default: false. */
  readonly isLink?: boolean;
  /** The joins in whose groups it begins a member: if it does not run, what failed stands before the group. */
  readonly startsMembersOf?: readonly number[];
  /** How long after its turn it is due, in ms. Default: at once. An `eta` in the message is a time. */
  readonly countdown?: number;
  /** How long after its turn it expires, in ms. Default: what the message says. */
  readonly lifetime?: number;
}

/** A further member of a group, added by one of its members while that runs. */
export interface FlowAddition {
  /** Id of the flow. */
  readonly flow: string;
  /** Number of the call that adds it. */
  readonly by: number;
  /** Number of the join of the group. */
  readonly join: number;
  readonly queue: string;
  /** Without `positions`: which number and which slot are its own is known once it is added. An `id` that was added before is not added again. */
  readonly message: Message;
}

/** A point at which values come together as one array, in the order of their slots. */
export interface FlowJoin {
  /** UUID of the group whose members' values these are. */
  readonly id: string;
  /** How many there are. */
  readonly size: number;
  /** What becomes of it when some have failed. `fail`: it has failed too. `partial`: they are `null`. */
  readonly onFailure: "fail" | "partial";
  /** Where the array goes. */
  readonly next: readonly Target[];
}

/**
 * Why there is no value: a task that has failed or was revoked, or a group of which members have (then `task` is "group"). What an error link gets: there, the task behind a group
 * that has failed stands for it.
 */
export interface FailureInfo {
  /** Of the task, or of the group. */
  readonly id: string;
  readonly task: string;
  readonly state: "FAILURE" | "REVOKED";
  /** Why it failed; of REVOKED, why its last attempt did, if it had one. */
  readonly failure?: Failure;
  /** REVOKED only. */
  readonly reason?: string;
}
