import type { Verdict } from "../ports/delivery.js";

/** A message as its queue holds it. */
export interface HeldMessage {
  readonly id: string;
  readonly task: string;
  readonly priority: number;
  /** The message of its next or current attempt, encoded. */
  text: string;
  /** `new`: not in its queue yet. */
  place: "new" | "waiting" | "delayed" | "taken" | "ended";
  /** When it is due, in ms since the epoch; only while it is delayed. */
  due: number;
  /** How often it was taken. */
  deliveries: number;
  /** How often it has ended: its attempts so far. */
  endings: number;
  /**
   * The deliveries that have started and not ended. Absent: the first one, which nobody counts, or
   * none if the message has ended before.
   */
  startedDeliveries?: Set<number>;
  /** Why it must not run any more. */
  revoked?: string;
  /** Whether a run is to be ended at once. Default: false. */
  terminate?: boolean;
  verdict?: Verdict;
  unknownSince?: number;
  /** Only while it is taken. */
  loan?: MessageLoan;
}

/** A message on loan to a worker. */
export interface MessageLoan {
  readonly token: string;
  readonly worker: string;
  /** Since when, in ms since the epoch. */
  readonly since: number;
  /** Until when, in ms since the epoch; a renewal puts it off. */
  until: number;
}

/** Whether `token` proves a loan that has not run out at `now`. */
export function isOnLoan(message: HeldMessage, token: string, now: number): boolean {
  return message.loan?.token === token && message.loan.until > now;
}

/** Notes that a delivery has started. Safe to repeat. */
export function noteStart(message: HeldMessage, delivery: number): void {
  message.startedDeliveries = startedDeliveriesOf(message).add(delivery);
}

/** Notes that a delivery has ended where it ran: it is no crash. Safe to repeat. */
export function noteEnd(message: HeldMessage, delivery: number): void {
  const started = startedDeliveriesOf(message);
  if (started.delete(delivery)) message.startedDeliveries = started;
}

/** How many deliveries before this one have started and not ended. */
export function crashesOf(message: HeldMessage): number {
  return message.deliveries <= 1 ? 0 : startedDeliveriesOf(message).size;
}

function startedDeliveriesOf({ startedDeliveries, endings }: HeldMessage): Set<number> {
  return startedDeliveries ?? new Set(endings > 0 ? [] : [1]);
}
