import { BullrushError, toFailure } from "@bullrush/broker";
import type { Logger } from "pino";
import type { Check } from "./check.js";

/** Ends what is known to have ended before, as the broker says with the delivery: a process died before it could settle. */
export function concluded(log: Logger): Check {
  return (received) => {
    const { delivery, message } = received;
    const { verdict, id } = delivery;
    if (verdict === undefined || message === undefined) return "pass";
    const { task } = message;
    if (verdict.type === "succeeded") {
      log.info({ task, id }, "not run: it has succeeded before");
      received.toStore = "nothing";
      return { type: "succeeded" };
    }
    const { stack: _, ...failure } = toFailure(new BullrushError("TIME_LIMIT_EXCEEDED", { task, limit: verdict.limit }));
    return { type: "failed", failure };
  };
}
