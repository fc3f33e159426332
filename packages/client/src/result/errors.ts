import { BullrushError, describeFailure, RemoteError, type Failure } from "@bullrush/broker";

/**
 * The task failed. `cause` is an Error with the name, message, code and remote stack of the
 * original; it is not an instance of the original class.
 */
export class TaskFailedError extends BullrushError<"TASK_FAILED"> {
  override name = "TaskFailedError";
  /** The error in wire form. */
  readonly failure: Failure;

  constructor(task: string, id: string, failure: Failure) {
    super("TASK_FAILED", { task, id, failure: describeFailure(failure) }, { cause: new RemoteError(failure) });
    this.failure = failure;
  }
}

/**
 * The task was revoked: it expired, or somebody revoked it. If an attempt had failed before,
 * `cause` is its error, as in `TaskFailedError`.
 */
export class TaskRevokedError extends BullrushError<"TASK_REVOKED"> {
  override name = "TaskRevokedError";

  /** Why its last attempt failed, in wire form; absent if none had. */
  readonly failure?: Failure;

  constructor(task: string, id: string, reason: string, failure?: Failure) {
    super("TASK_REVOKED", { task, id, reason }, failure && { cause: new RemoteError(failure) });
    if (failure !== undefined) this.failure = failure;
  }
}

/**
 * The result did not arrive in time. The task goes on. `cause` is a `RESULT_BACKEND_UNAVAILABLE` if
 * the result backend could not be reached when the time was over.
 */
export class TimeoutError extends BullrushError<"TASK_TIMEOUT"> {
  override name = "TimeoutError";

  /**
   * @param pool the pool of runners in which a task waited for it, if any
   * @param outage why the result backend could not be read when the time was over, if it could not
   */
  constructor(task: string, id: string, timeout: number, pool?: string, outage?: BullrushError) {
    super("TASK_TIMEOUT", { task, id, timeout, ...(pool !== undefined && { pool }) }, outage && { cause: outage });
  }
}

/** No queue and no result backend knows the id. */
export class UnknownTaskError extends BullrushError<"UNKNOWN_TASK"> {
  override name = "UnknownTaskError";

  constructor(id: string) {
    super("UNKNOWN_TASK", { id });
  }
}
