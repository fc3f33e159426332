import { BullrushError, describeFailure, RemoteError, type Failure } from "@bullrush/broker";

/** The task ended with an error. `cause` is an Error with the name, message, code and remote stack of the original; its class is not revived. */
export class TaskFailedError extends BullrushError<"TASK_FAILED"> {
  override name = "TaskFailedError";
  /** The error in wire form. */
  readonly failure: Failure;

  constructor(task: string, id: string, failure: Failure) {
    super("TASK_FAILED", { task, id, failure: describeFailure(failure) }, { cause: new RemoteError(failure) });
    this.failure = failure;
  }
}

/** The task was revoked: it expired, or somebody called it off. If an attempt had failed before, `cause` is why, as in `TaskFailedError`. */
export class TaskRevokedError extends BullrushError<"TASK_REVOKED"> {
  override name = "TaskRevokedError";

  /** Why its last attempt failed, in wire form; absent if none had. */
  readonly failure?: Failure;

  constructor(task: string, id: string, reason: string, failure?: Failure) {
    super("TASK_REVOKED", { task, id, reason }, failure && { cause: new RemoteError(failure) });
    if (failure !== undefined) this.failure = failure;
  }
}

/** The result did not come in time. The task goes on. `cause` is a `RESULT_BACKEND_UNAVAILABLE` if the result backend could not be reached when the time was over. */
export class TimeoutError extends BullrushError<"TASK_TIMEOUT"> {
  override name = "TimeoutError";

  /**
   * @param pool the pool of runners in which a task waited for it, if one did
   * @param outage why the result backend could not be asked when the time was over, if it could not
   */
  constructor(task: string, id: string, timeout: number, pool?: string, outage?: BullrushError) {
    super("TASK_TIMEOUT", { task, id, timeout, ...(pool !== undefined && { pool }) }, outage && { cause: outage });
  }
}

/** Nobody knows the id. */
export class UnknownTaskError extends BullrushError<"UNKNOWN_TASK"> {
  override name = "UnknownTaskError";

  constructor(id: string) {
    super("UNKNOWN_TASK", { id });
  }
}
