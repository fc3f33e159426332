import type { Failure, TaskRecord, TaskState } from "@bullrush/broker";

/** All that is known of a task. What is not, or not yet, is absent. */
export interface TaskDetails<Result = unknown> {
  readonly id: string;
  readonly state: TaskState;
  /** Name of the task. */
  readonly name?: string;
  readonly queue?: string;
  /** Name of the worker that ran it. */
  readonly worker?: string;
  /** Which attempt the rest tells of; the first is 1. */
  readonly attempt?: number;
  /** How often it was retried. */
  readonly retries?: number;
  /** When its last attempt began. */
  readonly startedAt?: Date;
  /** When it ended, or its last attempt did. */
  readonly endedAt?: Date;
  /** When its next attempt is due; RETRY only. */
  readonly eta?: Date;
  /** SUCCESS only. */
  readonly result?: Result;
  /** Why it failed, or its last attempt did; absent from SUCCESS. */
  readonly failure?: Failure;
  /** Why it was revoked; REVOKED only. */
  readonly reason?: string;
  /** What it said of its progress; states of its own only. */
  readonly meta?: unknown;
  /** The task or group that has failed or was revoked, so that this one did not run. */
  readonly origin?: { readonly id: string; readonly task: string };
  /** Ids of the tasks that it sent; `children()` gives their handles. */
  readonly children?: readonly string[];
}

/** @param name the task's, if the record does not say it */
export function detailsOf<Result>(id: string, record: TaskRecord, name: string | undefined): TaskDetails<Result> {
  const { state, task = name, queue, worker, attempt, startedAt, endedAt, eta, result, failure, reason, meta, origin, children } = record;
  return {
    id,
    state,
    ...(task !== undefined && { name: task }),
    ...(queue !== undefined && { queue }),
    ...(worker !== undefined && { worker }),
    ...(attempt !== undefined && { attempt, retries: attempt - 1 }),
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
