import type { Failure, TaskRecord } from "@bullrush/broker";
import { TaskFailedError, TaskRevokedError } from "./errors.js";

/** How a task ended, as a value. */
export type TaskOutcome<Result> =
  | { readonly state: "SUCCESS"; readonly result: Result }
  | { readonly state: "FAILURE"; readonly failure: Failure }
  | { readonly state: "REVOKED"; readonly reason: string; /** Why its last attempt failed, if it had one. */ readonly failure?: Failure };

/** The outcome in a terminal record. */
export function outcomeOf<Result>(record: TaskRecord): TaskOutcome<Result> {
  if (record.state === "FAILURE") return { state: "FAILURE", failure: failureOf(record) };
  if (record.state === "REVOKED") return { state: "REVOKED", reason: reasonOf(record), ...(record.failure && { failure: record.failure }) };
  return { state: "SUCCESS", result: record.result as Result };
}

/**
 * The error that `get()` throws for a record, if its task has failed or was revoked. If the task
 * did not run because another one failed, the error names that one.
 */
export function errorOf(record: TaskRecord, id: string, name = "task"): TaskFailedError | TaskRevokedError | undefined {
  const failedTask = record.origin ?? { id, task: record.task ?? name };
  if (record.state === "FAILURE") return new TaskFailedError(failedTask.task, failedTask.id, failureOf(record));
  if (record.state === "REVOKED") return new TaskRevokedError(failedTask.task, failedTask.id, reasonOf(record), record.failure);
  return undefined;
}

export function failureOf(record: TaskRecord): Failure {
  return record.failure ?? { name: "Error", message: "the stored failure is incomplete" };
}

export function reasonOf(record: TaskRecord): string {
  return record.reason ?? "no reason given";
}
