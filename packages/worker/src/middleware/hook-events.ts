import type { Clock, Delivery, Outcome } from "@bullrush/broker";
import type { Layers } from "@bullrush/client";
import { seenExecution, seenOutcome } from "../execution/seen.js";
import type { Middleware } from "./middleware.js";

type HookCalls = Layers["hooks"];

/** Tells the hooks `received` and `started`. */
export function hookEvents(hooks: HookCalls, worker: string): Middleware {
  return (execution, next) => {
    const isStartedTold = hooks.has("started");
    if (!isStartedTold && !hooks.has("received")) return next(execution);
    const event = { execution: seenExecution(execution.message, execution.delivery.queue, worker) };
    hooks.tell("received", event);
    if (!isStartedTold) return next(execution);
    const onBegin = () => {
      execution.onBegin?.();
      hooks.tell("started", event);
    };
    return next({ ...execution, onBegin });
  };
}

/** Tells hooks how a delivery ended. */
export type TellEnd = (delivery: Delivery, outcome: Outcome, startedAt: number) => void;

/** What tells them. A message that could not be decoded is no execution, and no hook is told of it. */
export function hookEnds(hooks: HookCalls, worker: string, clock: Clock): TellEnd {
  return ({ content, queue }, outcome, startedAt) => {
    if (content.type === "undecodable") return;
    const seen = seenOutcome(outcome);
    if (seen.type === "replaced" || seen.type === "requeued" || !hooks.has(seen.type)) return;
    const execution = seenExecution(content.message, queue, worker);
    const ms = clock.now() - startedAt;
    switch (seen.type) {
      case "succeeded":
        return hooks.tell("succeeded", { execution, outcome: seen, ms });
      case "failed":
        return hooks.tell("failed", { execution, outcome: seen, ms });
      case "retried":
        return hooks.tell("retried", { execution, outcome: seen, ms });
      case "revoked":
        return hooks.tell("revoked", { execution, outcome: seen, ms });
      case "rejected":
        return hooks.tell("rejected", { execution, outcome: seen, ms });
    }
  };
}
