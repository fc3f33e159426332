import { isFaultOf } from "@bullrush/broker";
import type { TrackedDelivery } from "./tracked-delivery.js";

/** How often a settlement may be refused for what it is itself. */
const mostRefused = 5;

/** Longest reason that is told, in characters. */
const longest = 200;

/**
 * Counts that the settlement of a delivery was refused. What Redis refuses for want of memory, rights or a primary is not the settlement's fault, and
 * is not counted. Returns whether it was refused too often.
 *
 * @param reason absent if nobody knows: then it is tried for ever
 */
export function countRefusal(tracked: TrackedDelivery, reason: string | undefined): boolean {
  tracked.isApart = true;
  if (reason !== undefined && isFaultOf(tracked.settlement.delivery, reason)) tracked.refusals++;
  return tracked.refusals >= mostRefused;
}

/** What a refused call says, short and on one line. */
export function reasonOf(error: unknown): string {
  const details: unknown = error instanceof Error && "details" in error ? error.details : undefined;
  const isTold = typeof details === "object" && details !== null && "reason" in details && typeof details.reason === "string";
  const text = isTold ? (details as { readonly reason: string }).reason : error instanceof Error ? error.message : "unknown";
  return shortened(text);
}

export function shortened(text: string): string {
  return text.replace(/\s+/g, " ").slice(0, longest);
}
