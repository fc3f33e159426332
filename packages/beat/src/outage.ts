import { BullrushError, isRefused } from "@bullrush/broker";

/** Whether `error` means that the broker cannot be used, as opposed to an error in the call. */
export function isOutage(error: unknown): boolean {
  return error instanceof BullrushError && ["BROKER_UNAVAILABLE", "BROKER_FULL"].includes(error.code) && !isRefused(error);
}
