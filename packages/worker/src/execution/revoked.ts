import type { Delivery } from "@bullrush/broker";
import { TaskRevokedError } from "@bullrush/client";
import type { Stop } from "./stop.js";

/** What the signal of a task that is revoked aborts with. */
export function revokedError({ id, content }: Delivery, reason: string): TaskRevokedError {
  return new TaskRevokedError(content.type === "undecodable" ? "task" : content.message.task, id, reason);
}

/** Why a task was revoked, if that is why it was asked to end. */
export function revokedBy(stop: Stop): string | undefined {
  if (!stop.requested) return undefined;
  const asked: unknown = stop.signal.reason;
  return asked instanceof TaskRevokedError ? asked.details.reason : undefined;
}
