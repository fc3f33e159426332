import { checkEditable, encodeMessage } from "../../protocol/envelope.js";
import type { Flow, FlowCall, FailureInfo } from "../../protocol/flow.js";
import type { Message } from "../../protocol/message.js";
import type { Target } from "../../protocol/flow-position.js";

/** What is known of the message of a call without reading it. */
export type CallMessage = Pick<Message, "id" | "task" | "priority" | "eta" | "resent" | "positions" | "replaces">;

/** A call of a running flow. */
export interface RunningCall extends Pick<FlowCall, "queue" | "takesValue" | "countdown" | "lifetime"> {
  readonly number: number;
  readonly message: CallMessage;
  readonly isLink: boolean;
  /** Whether a member of its group has added it. Default: false. */
  readonly isAdded?: boolean;
  /** The joins in whose groups it begins a member. */
  readonly startsMembersOf: readonly number[];
  /** The message, encoded, until it is sent. */
  text?: string | undefined;
  /** `sent`: its message is, or was, in its queue. `replaced`: others run in its place. */
  state: "unsent" | "sent" | "replaced";
  hasEnded: boolean;
}

/**
 * What has come to a join: a value, as JSON; or why there is none, and whether that happened before
 * the group.
 */
export type Slot = { readonly value: string } | { readonly failure: FailureInfo; readonly isBefore: boolean };

/** A join of a running flow. */
export interface RunningJoin {
  readonly number: number;
  /** Of its group. */
  readonly id: string;
  readonly isPartial: boolean;
  readonly next: readonly Target[];
  size: number;
  /** By their numbers; empty once it is closed. */
  readonly slots: Map<number, Slot>;
  /** Length of its values as one array, in bytes. */
  bytes: number;
  isClosed: boolean;
}

/** A flow that has not ended. */
export class RunningFlow {
  readonly id: string;
  readonly calls: RunningCall[];
  readonly joins: readonly RunningJoin[];
  readonly queues: Set<string>;
  /** How long the results of calls are kept that do not run, in ms. */
  readonly expires: number;
  /** Channel on which its sender waits, or "". */
  readonly replyTo: string;
  /** Longest value that is passed on, in bytes. */
  readonly maxBytes: number;
  /** How many calls have not ended. */
  remaining: number;
  /** Whether whoever takes its messages has to look for a result first. */
  isResent = false;
  /** Whether all of it was called off: what is added is revoked too. */
  isCalledOff = false;
  /** When it made progress last, in ms since the epoch. */
  movedAt: number;

  /** Throws `ENCODE_ERROR` or `PAYLOAD_TOO_LARGE` for a message that cannot be sent. */
  constructor({ id, calls, joins, replyTo = "", expires, maxPayload }: Flow, now: number) {
    this.id = id;
    this.calls = calls.map(runningCall);
    this.joins = joins.map(({ id, size, onFailure, next }, number) => ({
      number,
      id,
      isPartial: onFailure === "partial",
      next,
      size,
      slots: new Map(),
      bytes: "[]".length,
      isClosed: false,
    }));
    this.queues = new Set(calls.map(({ queue }) => queue));
    this.expires = expires;
    this.replyTo = replyTo;
    this.maxBytes = maxPayload;
    this.remaining = calls.length;
    this.movedAt = now;
  }
}

/**
 * The call with this number, not sent. Throws as encoding its message does, and a `TypeError` for a
 * text that no value can be put into.
 */
export function runningCall(call: FlowCall, number: number): RunningCall {
  const { queue, takesValue, countdown, lifetime, isLink = false, startsMembersOf = [] } = call;
  const { id, task, priority, eta, resent, positions, replaces } = call.message;
  const text = call.text ?? encodeMessage(call.message);
  checkEditable(text);
  const message: CallMessage = {
    id,
    task,
    priority,
    ...(eta !== undefined && { eta }),
    ...(resent !== undefined && { resent }),
    ...(positions !== undefined && { positions }),
    ...(replaces !== undefined && { replaces }),
  };
  return {
    number,
    queue,
    message,
    takesValue,
    ...(countdown !== undefined && { countdown }),
    ...(lifetime !== undefined && { lifetime }),
    isLink,
    startsMembersOf,
    text,
    state: "unsent",
    hasEnded: false,
  };
}
