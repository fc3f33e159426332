import { withCause, type Failure, type Outcome } from "@bullrush/broker";

/** Codes of failures that a task does not throw itself: what they say tells nothing of why it had to be tried again. */
const impersonal: ReadonlySet<string | number | undefined> = new Set([
  "TASK_POISONED",
  "WORKER_LOST",
  "TIME_LIMIT_EXCEEDED",
  "SOFT_TIME_LIMIT_EXCEEDED",
  "TASK_NOT_REGISTERED",
]);

/** How a message ends whose time is over. `failure` is why its last attempt failed, if it had one. */
export function expired(failure: Failure | undefined): Outcome {
  return { type: "revoked", reason: "expired", ...(failure && { failure }) };
}

/** `outcome`, and with it why the attempt before failed, where nothing else would tell. */
export function withLastFailure(outcome: Outcome, lastFailure: Failure | undefined): Outcome {
  if (lastFailure === undefined) return outcome;
  if (outcome.type === "revoked") return { ...outcome, failure: outcome.failure ?? lastFailure };
  if (outcome.type !== "failed" || outcome.failure.cause !== undefined || !impersonal.has(outcome.failure.code)) return outcome;
  return { ...outcome, failure: withCause(outcome.failure, lastFailure) };
}
