import { isTaskId } from "../id.js";
import type { Failure } from "./failure.js";
import type { Message, RoutedMessage } from "./message.js";

/**
 * Tasks that follow upon each other, as plain data: a canvas, compiled. Its calls are numbered by their places in `calls`, its joins by
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
  /** Without the value that is put before its arguments. The first of its `places` is its own place here. */
  readonly message: Message;
  /** Whether the value that comes to it is put before its arguments. */
  readonly takesValue: boolean;
  /** How long after its turn it is due, in ms. Default: at once. An `eta` in the message is a time. */
  readonly countdown?: number;
  /** How long after its turn it expires, in ms. Default: what the message says. */
  readonly lifetime?: number;
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
 * Where a value goes, or why there is none.
 * `step`: to a call, which fails too when there is no value. `link`: to a call that is dropped then. `error`: to a call that takes a
 * `Mishap`, and is dropped when there is a value. `slot`: to a place in a join. `open`: to a join of size 0, which lets pass an empty array.
 */
export type Target =
  | readonly ["step" | "link" | "error", call: number]
  | readonly ["slot", join: number, slot: number]
  | readonly ["open", join: number];

/** Where a message stands in a flow, and what comes after it. */
export interface Place {
  /** Id of the flow. */
  readonly flow: string;
  /** Number of the call. */
  readonly call: number;
  readonly next: readonly Target[];
}

/** Why there is no value: a task that has failed or was revoked, or a group of which members have (then `task` is "group"). What an error link gets. */
export interface Mishap {
  /** Of the task, or of the group. */
  readonly id: string;
  readonly task: string;
  readonly state: "FAILURE" | "REVOKED";
  /** FAILURE only. */
  readonly failure?: Failure;
  /** REVOKED only. */
  readonly reason?: string;
}

/** Whether decoded `value` is a place in a flow. */
export function isPlace(value: unknown): value is Place {
  if (typeof value !== "object" || value === null) return false;
  const { flow, call, next } = value as Partial<Record<string, unknown>>;
  return isTaskId(flow) && isNumber(call) && Array.isArray(next) && next.every(isTarget);
}

const sizes: Readonly<Record<string, number>> = { step: 2, link: 2, error: 2, slot: 3, open: 2 } satisfies Record<Target[0], number>;

function isTarget(value: unknown): value is Target {
  if (!Array.isArray(value)) return false;
  const [kind, ...numbers] = value as unknown[];
  return typeof kind === "string" && sizes[kind] === value.length && numbers.every(isNumber);
}

function isNumber(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
