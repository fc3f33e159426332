import { isFaultOf, type Refusal } from "@bullrush/broker";
import type { TrackedDelivery } from "./tracked-delivery.js";

/** How often a settlement may be refused because of what it is. */
const maxRefused = 5;

/** Longest reason that is shown, in characters. */
const maxReason = 200;

/**
 * Counts that the settlement of a delivery was refused. What Redis refuses for want of memory, rights or a primary is not the settlement's fault, and
 * is not counted. Returns whether it was refused too often.
 *
 * @param refusal absent if nobody knows: then it is tried for ever
 */
export function countRefusal(tracked: TrackedDelivery, refusal: Refusal | undefined): boolean {
  tracked.isApart = true;
  if (refusal !== undefined && isFaultOf(tracked.settlement.delivery, refusal)) tracked.refusals++;
  return tracked.refusals >= maxRefused;
}

/** `text` on one line, cut to what is shown. */
export function shortened(text: string): string {
  return text.replace(/\s+/g, " ").slice(0, maxReason);
}
