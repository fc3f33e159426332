import { BullrushError, type Outcome } from "@bullrush/broker";
import { deadLetter } from "../execution/dead-letter.js";
import type { Received } from "../execution/received.js";
import type { Check } from "./check.js";
import { isExpired } from "./expired.js";
import type { Grace } from "./grace.js";

/** What becomes of a delivery that no task is for where it should run. `known` names the tasks that are there. */
export type UnknownTask = (received: Received, known: readonly string[]) => Outcome;

/** Puts it back for workers that may know the task, while the grace lasts; then it is a dead letter. A job of a plain BullMQ producer never is. */
export function unknownTask(grace: Grace): UnknownTask {
  return (received, known) => {
    const { delivery, message, startedAt } = received;
    const { task = "unknown", expires } = message ?? {};
    if (delivery.content.type === "external") return grace.leave(delivery, task);
    if (isExpired(received, startedAt)) return { type: "revoked", reason: "expired" };
    const error = new BullrushError("TASK_NOT_REGISTERED", { task, known });
    return grace.outcomeOf(delivery, task, error, expires) ?? deadLetter(error);
  };
}

/** Ends what no task of this worker is for. */
export function unregistered(tasks: ReadonlyMap<string, unknown>, unknown: UnknownTask): Check {
  return (received) => (received.definition === undefined ? unknown(received, [...tasks.keys()]) : "pass");
}
