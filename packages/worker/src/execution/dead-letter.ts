import { toFailure, type BullrushError, type Outcome } from "@bullrush/broker";

/** How a message ends that cannot be run, or not again: it fails for good, and is kept for inspection. */
export function deadLetter(error: BullrushError): Outcome {
  const { stack: _, ...failure } = toFailure(error);
  return { type: "failed", failure, deadLetter: true };
}
