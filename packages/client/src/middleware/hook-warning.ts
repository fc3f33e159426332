import { failureReason, redactNamed, redactUrls, systemClock, toFailure } from "@bullrush/broker";
import type { HookErrorListener } from "./hook-calls.js";

/** Minimum time between two equal warnings, in ms. */
const quietFor = 10_000;

/**
 * Warns of failing hooks where no worker logs them: by `process.emitWarning()`, without passwords.
 */
export function hookWarning(): HookErrorListener {
  const warned = new Map<string, number>();
  return (text, cause) => {
    const now = systemClock.now();
    if (now - (warned.get(text) ?? -Infinity) < quietFor) return;
    warned.set(text, now);
    const reason = redactNamed(redactUrls(typeof cause === "string" ? cause : failureReason(toFailure(cause))));
    process.emitWarning(`${text}: ${reason}`, { type: "BullrushWarning", code: "BULLRUSH_HOOK_FAILED" });
  };
}
