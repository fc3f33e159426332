import type { Message, Outcome } from "@bullrush/broker";
import type { Execution, Outcome as SeenOutcome } from "@bullrush/client";

/** A run of `message`, as middleware sees it. */
export function seenExecution(message: Message, queue: string, worker: string): Execution {
  const { id, task, args, retries, headers, priority, rootId, parentId, groupId, eta, expires } = message;
  return {
    id,
    task,
    args,
    attempt: retries + 1,
    queue,
    worker,
    headers,
    priority,
    rootId,
    ...(parentId !== undefined && { parentId }),
    ...(groupId !== undefined && { groupId }),
    ...(eta !== undefined && { eta: new Date(eta) }),
    ...(expires !== undefined && { expires: new Date(expires) }),
  };
}

/** How a run ended, as middleware sees it. */
export function seenOutcome(outcome: Outcome): SeenOutcome {
  switch (outcome.type) {
    case "succeeded":
      return outcome.ignored === true ? { type: "succeeded", ignored: true } : { type: "succeeded" };
    case "failed": {
      const { failure, expected, deadLetter } = outcome;
      if (deadLetter === true && failure.code === "TASK_REJECTED") return { type: "rejected", failure };
      return expected === true ? { type: "failed", failure, expected } : { type: "failed", failure };
    }
    case "retried":
      return { type: "retried", failure: outcome.failure, eta: new Date(outcome.eta) };
    case "revoked":
      return { type: "revoked", reason: outcome.reason };
    case "replaced":
      return { type: "replaced" };
    case "crashed":
    case "requeued":
      return { type: "requeued", reason: outcome.reason };
  }
}
