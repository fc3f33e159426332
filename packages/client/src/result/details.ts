import type { Failure, Loan, TaskRecord, TaskState } from "@bullrush/broker";

/** All that is known of a task. Unknown fields are absent. */
export interface TaskDetails<Result = unknown> {
  readonly id: string;
  readonly state: TaskState;
  /** Name of the task. */
  readonly name?: string;
  readonly queue?: string;
  /** Name of the worker that runs or ran it. */
  readonly worker?: string;
  /** The attempt that the other fields describe; the first is 1. */
  readonly attempt?: number;
  /** How often it was retried. */
  readonly retries?: number;
  /** How often its message was taken; present while it runs. */
  readonly delivery?: number;
  /**
   * The rest of its lease at the time of the read, in ms; its worker renews it. Present while it
   * runs.
   */
  readonly leaseLeft?: number;
  /** When its last attempt began; while it runs, when its worker took it. */
  readonly startedAt?: Date;
  /** When it ended, or its last attempt did. */
  readonly endedAt?: Date;
  /** When its next attempt is due; RETRY only. */
  readonly eta?: Date;
  /** SUCCESS only. */
  readonly result?: Result;
  /** Why the task, or its last attempt, failed; absent in SUCCESS. */
  readonly failure?: Failure;
  /** Why it was revoked; REVOKED only. */
  readonly reason?: string;
  /** The `meta` of its progress; in states of its own only. */
  readonly meta?: unknown;
  /** The task or group whose failure or revocation is the reason that this one did not run. */
  readonly origin?: { readonly id: string; readonly task: string };
  /** Ids of the tasks that it sent; `children()` returns their handles. */
  readonly children?: readonly string[];
}

/** The sources of a task's details. */
export interface Known {
  readonly record: TaskRecord;
  /** The loan of its message, if it runs. */
  readonly loan: Loan | undefined;
  /** Name of the task, if neither record nor loan has it. */
  readonly name: string | undefined;
}

export function detailsOf<Result>(id: string, { record, loan, name }: Known): TaskDetails<Result> {
  const { state, task = loan?.task ?? name, endedAt, eta, result, failure, reason, meta, origin, children } = record;
  const { queue, worker, attempt, startedAt } = loan === undefined ? record : { startedAt: loan.since, ...loan };
  return {
    id,
    state,
    ...(task !== undefined && { name: task }),
    ...(queue !== undefined && { queue }),
    ...(worker !== undefined && { worker }),
    ...(attempt !== undefined && { attempt, retries: attempt - 1 }),
    ...(loan !== undefined && { delivery: loan.delivery, leaseLeft: loan.lease }),
    ...(startedAt !== undefined && { startedAt: new Date(startedAt) }),
    ...(endedAt !== undefined && { endedAt: new Date(endedAt) }),
    ...(eta !== undefined && { eta: new Date(eta) }),
    ...(result !== undefined && { result: result as Result }),
    ...(failure !== undefined && { failure }),
    ...(reason !== undefined && { reason }),
    ...(meta !== undefined && { meta }),
    ...(origin !== undefined && { origin }),
    ...(children !== undefined && { children }),
  };
}
