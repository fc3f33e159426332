import { BullrushError, type TaskRecord } from "@bullrush/broker";
import { kindOf, refuse } from "../options/check.js";
import { UnknownTaskError } from "./errors.js";
import { recordsOf } from "./gather.js";
import type { SingleResult } from "./single-result.js";

/** Throws `INVALID_OPTION` for an argument of `onDone()` that is not a function. */
export function checkListener(listener: unknown): void {
  if (typeof listener !== "function") refuse("what was given to onDone()", kindOf(listener), "a function");
}

/**
 * Calls `listener` once with the terminal records of all `leaves`. An error that it throws is an
 * uncaught exception.
 */
export function callBack(leaves: readonly SingleResult[], listener: (records: readonly TaskRecord[]) => void): void {
  recordsOf(leaves, {}, false).then(
    (records) => process.nextTick(listener, records),
    (error: unknown) => {
      // Wait through outages.
      if (isOutage(error)) callBack(leaves, listener);
      else if (!(error instanceof UnknownTaskError) && !isClosing(error)) throw error;
    },
  );
}

function isOutage(error: unknown): boolean {
  return error instanceof BullrushError && error.code === "RESULT_BACKEND_UNAVAILABLE";
}

function isClosing(error: unknown): boolean {
  return error instanceof BullrushError && error.code === "APP_CLOSED";
}
