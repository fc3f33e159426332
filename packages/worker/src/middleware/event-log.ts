import { describeFailure, type Clock, type Outcome } from "@bullrush/broker";
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
 * One line for each event of a task: received, and how it ended. Never its arguments or its result. A line that the logger's level would
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
    log[level]({ task: message.task, id: message.id, ms: clock.now() - startedAt, ...detailsOf(outcome) }, outcome.type);
  }

  return async (execution, next) => {
    received(execution);
    const outcome = await next(execution);
    // Told to end, because it is put back or others may run it, what it came to is not how the task ended.
    if (!execution.stop.requested) ended(execution, outcome);
    return outcome;
  };
}

function detailsOf(outcome: Outcome): object {
  switch (outcome.type) {
    case "failed":
      return { error: describeFailure(outcome.failure), ...(!isExpected(outcome) && { stack: outcome.failure.stack }) };
    case "retried":
      return { error: describeFailure(outcome.failure), next: new Date(outcome.eta).toISOString() };
    case "revoked":
      return { reason: outcome.reason, ...(outcome.failure && { error: describeFailure(outcome.failure) }) };
    case "crashed":
    case "requeued":
      return { reason: outcome.reason };
    case "succeeded":
    case "replaced":
      return {};
  }
}

function isExpected(outcome: Outcome): boolean {
  return outcome.type === "failed" && outcome.expected === true;
}
