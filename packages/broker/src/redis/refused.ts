import { BullrushError } from "../error.js";
import type { Delivery } from "../ports/delivery.js";

/** What Redis says when it is not the command that is at fault: its memory, its role, its disk, the rights of the user. */
const elsewhere =
  /\b(OOM|READONLY|MISCONF|NOPERM|NOREPLICAS|NOAUTH|LOADING|BUSY|MASTERDOWN|CLUSTERDOWN|TRYAGAIN)\b|maxmemory|the user executing the script|can't run this command|no permissions/i;

/** Whether what Redis answered is of the command itself, which would be refused again whenever it is sent. */
export function isOwnFault(reason: string): boolean {
  return !elsewhere.test(reason);
}

/**
 * Whether what Redis answered to the settlement of `delivery` is its own fault. A plain job may name a key that its worker may not touch, as that of its parent; of our own messages, which name
 * none, such an answer says that the worker has lost a right, which may come back.
 */
export function isFaultOf({ content }: Pick<Delivery, "content">, reason: string): boolean {
  return isOwnFault(reason) || (content.type === "external" && /access (?:a key|at least one of the keys)/i.test(reason));
}

/** Whether a call has failed of what was sent, and not because the service could not be used: it would fail again, alone too. */
export function isRefused(error: unknown): boolean {
  if (!(error instanceof BullrushError)) return true;
  const details: unknown = error.details;
  if (typeof details !== "object" || details === null) return false;
  const { refused, reason } = details as Partial<Record<string, unknown>>;
  return refused === true && isOwnFault(String(reason));
}
