import { BullrushError } from "./error.js";
import type { Refusal } from "./refusal-code.js";

/** Whether a refused call would be refused again at any time, because of what was sent. */
export function isOwnFault({ code }: Pick<Refusal, "code">): boolean {
  switch (code) {
    case "wrong-type":
    case "unknown-command":
    case "unknown-script":
    case "unknown-database":
    case "invalid-call":
    case "other-layout":
    case "other":
      return true;
    case "login-denied":
    case "command-denied":
    case "key-denied":
    case "channel-denied":
    case "out-of-memory":
    case "disk-failed":
    case "read-only":
    case "loading":
    case "busy":
    case "primary-down":
    case "too-few-replicas":
    case "cluster-unready":
    case "unblocked":
    case "unreachable":
      return false;
  }
}

/**
 * The refusal in a failed call, if what was sent is at fault: alone it fails again. `undefined` if
 * the service could not be used.
 */
export function ownFaultIn(error: unknown): Refusal | undefined {
  if (!(error instanceof BullrushError)) return { code: "other", reason: error instanceof Error ? error.message : "unknown" };
  const details: unknown = error.details;
  if (typeof details !== "object" || details === null) return undefined;
  const { refusal: code, reason } = details as Partial<Refusal> & { readonly refusal?: Refusal["code"] };
  if (code === undefined || !isOwnFault({ code })) return undefined;
  return { code, reason: reason ?? error.message };
}

/** Whether a call has failed because of what was sent: alone it fails again. */
export function isRefused(error: unknown): boolean {
  return ownFaultIn(error) !== undefined;
}
