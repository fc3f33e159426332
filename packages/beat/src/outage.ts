import { BullrushError, isRefused } from "@bullrush/broker";

/** Whether the broker is at fault, and not what was sent. */
export function isOutage(error: unknown): boolean {
  return error instanceof BullrushError && ["BROKER_UNAVAILABLE", "BROKER_FULL"].includes(error.code) && !isRefused(error);
}
