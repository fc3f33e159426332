import { describeFailure, type Clock } from "@bullrush/broker";
import type { Logger } from "pino";
import type { Middleware } from "./middleware.js";

/** One line for each event of a task: received, and how it ended. Never its arguments or its result. */
export function eventLog(log: Logger, clock: Clock): Middleware {
  return async (execution, next) => {
    const { message, delivery, startedAt } = execution;
    const task = { task: message.task, id: message.id };
    log.info({ ...task, queue: delivery.queue, attempt: message.retries + 1 }, "received");
    const outcome = await next(execution);
    // It was told to end, because it is put back or others may run it: what it came to is not how the task ended.
    if (execution.stop.requested) return outcome;
    const ended = { ...task, ms: clock.now() - startedAt };
    switch (outcome.type) {
      case "succeeded":
        log.info(ended, "succeeded");
        break;
      case "failed":
        log.error({ ...ended, error: describeFailure(outcome.failure), stack: outcome.failure.stack }, "failed");
        break;
      case "revoked":
        log.warn({ ...ended, reason: outcome.reason }, "revoked");
        break;
      case "requeued":
        break;
    }
    return outcome;
  };
}
