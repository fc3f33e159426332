import type { Clock, Failure, Outcome } from "@bullrush/broker";
import { redact, redactFailure } from "@bullrush/program";
import type { Logger } from "pino";
import type { Execution } from "../execution/execution.js";
import type { Middleware } from "./middleware.js";

const levels = {
  succeeded: "info",
  failed: "error",
  revoked: "warn",
  requeued: "warn",
  retried: "warn",
  replaced: "info",
  crashed: "error",
} as const;

/**
 * One line for each event of a task: received, and how it ended. Never its arguments or its result, and no password in a URL. A line that the logger's level would
 * drop is not even made.
 */
export function eventLog(log: Logger, clock: Clock): Middleware {
  function received({ message, delivery }: Execution): void {
    if (!log.isLevelEnabled("info")) return;
    log.info({ task: message.task, id: message.id, queue: delivery.queue, attempt: message.retries + 1 }, "received");
  }

  function ended({ message, startedAt }: Execution, outcome: Outcome): void {
    const level = isExpected(outcome) ? "info" : levels[outcome.type];
    if (!log.isLevelEnabled(level)) return;
    log[level]({ task: message.task, id: message.id, ms: clock.now() - startedAt, ...detailsOf(outcome) }, nameOf(outcome));
  }

  return async (execution, next) => {
    received(execution);
    const outcome = await next(execution);
    // Told to end, because it is put back or others may run it, what it came to is not how the task ended.
    if (!execution.stop.requested) ended(execution, outcome);
    return outcome;
  };
}

function nameOf(outcome: Outcome): string {
  return outcome.type === "succeeded" && outcome.ignored === true ? "ignored" : outcome.type;
}

function detailsOf(outcome: Outcome): object {
  switch (outcome.type) {
    case "failed":
      return isExpected(outcome) ? errorOf(outcome.failure) : redactFailure(outcome.failure);
    case "retried":
      return { ...errorOf(outcome.failure), next: new Date(outcome.eta).toISOString() };
    case "revoked":
      return { reason: redact(outcome.reason), ...(outcome.failure && errorOf(outcome.failure)) };
    case "crashed":
    case "requeued":
      return { reason: redact(outcome.reason) };
    case "succeeded":
    case "replaced":
      return {};
  }
}

/** Without the stack. */
function errorOf(failure: Failure): object {
  return { error: redactFailure(failure).error };
}

function isExpected(outcome: Outcome): boolean {
  return outcome.type === "failed" && outcome.expected === true;
}
