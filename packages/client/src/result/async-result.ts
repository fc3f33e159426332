import { isTerminal, type BullrushError, type TaskRecord, type TaskState } from "@bullrush/broker";
import type { RevokeOptions } from "../control/revoke.js";
import { checkOptions } from "../options/check.js";
import { runningTask } from "../running/running-task.js";
import { detailsOf, type TaskDetails } from "./details.js";
import { TimeoutError, type TaskFailedError, type TaskRevokedError } from "./errors.js";
import { forget } from "./forget.js";
import type { Handle } from "./handle.js";
import type { Listener } from "./listener.js";
import { look, readRecord, type Seen } from "./look.js";
import { ignored, mark } from "./single-result.js";
import { callBack, checkListener } from "./on-done.js";
import { errorOf, failureOf, outcomeOf, type TaskOutcome } from "./outcome.js";
import { iterateProgress, type IterateOptions, type Progress } from "./progress.js";
import type { Reference, ResultSource } from "./reference.js";
import type { ResultData } from "./result-data.js";
import { resultData } from "./saved-group.js";
import { inTask, polledInTask } from "./wait-in-task.js";
import { getChecks, limitWait, type GetOptions } from "./wait-options.js";

/**
 * The handle on the result of a task. It holds no resources and is not thenable: awaiting `delay()`
 * returns the handle, `get()` the value.
 */
export class AsyncResult<Result = unknown> implements Handle<Result> {
  /** @internal */
  readonly [mark.single] = true;
  readonly id: string;
  /** The handle of the step before, in a chain; a `GroupResult` if that is a group. */
  readonly parent: Handle | undefined;
  readonly #source: () => ResultSource;
  readonly #reference: Reference;
  #held: TaskRecord | undefined;
  /** Whether this handle has seen the end, after which no notification arrives. */
  #seen = false;

  /** @internal */
  constructor(source: () => ResultSource, reference: Reference) {
    this.id = reference.id;
    this.parent = reference.parent;
    this.#source = source;
    this.#reference = reference;
  }

  /** The outcome of the task, once it has ended. */
  get(options: GetOptions & { readonly propagate: false }): Promise<TaskOutcome<Result>>;
  /**
   * Waits for the task and resolves to the value that it returned; resolves to `undefined` at once
   * for a task that ignores its result. Throws `TaskFailedError` (its `cause` has name, message and
   * remote stack), `TaskRevokedError`, `TimeoutError`, `UnknownTaskError` for an unknown id (never
   * for a task just sent) and `INVALID_OPTION`. Without a `timeout` it also throws
   * `RESULT_BACKEND_UNAVAILABLE`; with one it waits through an outage.
   */
  get(options?: GetOptions & { readonly propagate?: true }): Promise<Result>;
  async get(options: GetOptions = {}): Promise<Result | TaskOutcome<Result>> {
    checkOptions(options, getChecks, "of get()");
    const record = await inTask([this], (onPending) => this.#ended(options, onPending));
    if (options.propagate === false) return outcomeOf(record);
    const error = this.errorOf(record);
    if (error !== undefined) throw error;
    return record.result as Result;
  }

  /** The current state: `PENDING`, `STARTED`, `SUCCESS`, … or `UNKNOWN`. */
  async status(): Promise<TaskState> {
    return (await this.#pollAll()).record.state;
  }

  /** Whether the task has ended, in any state. */
  async ready(): Promise<boolean> {
    return isTerminal((await this.#poll())?.state ?? "UNKNOWN");
  }

  /** Whether the task has succeeded. */
  async successful(): Promise<boolean> {
    return (await this.#poll())?.state === "SUCCESS";
  }

  /** Whether the task has failed. */
  async failed(): Promise<boolean> {
    return (await this.#poll())?.state === "FAILURE";
  }

  /**
   * The returned value, or the error that `get()` would throw, or `undefined` before the end. Never
   * waits.
   */
  async result(): Promise<Result | TaskFailedError | TaskRevokedError | undefined> {
    const record = await this.#poll();
    if (record === undefined) return undefined;
    return this.errorOf(record) ?? (record.result as Result | undefined);
  }

  /**
   * As `result()`. For a task in a state of its own, such as PROGRESS, it returns the `meta`; for
   * one that will be retried, `{ failure, eta }`.
   */
  async info(): Promise<unknown> {
    const record = await this.#poll();
    if (record === undefined) return undefined;
    if (record.state === "RETRY") return { failure: failureOf(record), eta: new Date(record.eta ?? 0) };
    return isTerminal(record.state) ? (this.errorOf(record) ?? record.result) : record.meta;
  }

  /** Name of the worker that ran the task, once it has ended. */
  async worker(): Promise<string | undefined> {
    return (await this.#read())?.worker;
  }

  /** The number of attempts, once the task has ended or waits for a retry. */
  async attempts(): Promise<number | undefined> {
    return (await this.#read())?.attempt;
  }

  /**
   * All that is known of the task now, from one read: names, times, attempts, and the values of the
   * other methods. For a running task also its worker, start, attempt, delivery number, and the
   * rest of its lease.
   */
  async details(): Promise<TaskDetails<Result>> {
    const { record, loan } = await this.#pollAll({ withLoan: true });
    return detailsOf(this.id, { record, loan, name: this.#reference.task });
  }

  /**
   * Handles on the tasks that the task sent during its last attempt, in order; at most 1,000. Empty
   * before the task has ended or waits for a retry.
   */
  async children(): Promise<readonly AsyncResult[]> {
    const record = await this.#read();
    const { queues } = this.#source().options;
    return (record?.children ?? []).map((id) => new AsyncResult(this.#source, { id, queues, elsewhere: true, own: false }));
  }

  /**
   * Yields the progress of the task: each state of its own, with its `meta`. Ends when the task
   * does, and returns its outcome; throws a failure only with `propagate: true`. Throws the other
   * errors of `get()`. At most 100 reports are kept for a slow reader.
   */
  iterate(options: IterateOptions = {}): AsyncGenerator<Progress, TaskOutcome<Result>, undefined> {
    return iterateProgress<Result>(this, options);
  }

  /**
   * Calls `listener` once, in this process, when the task has ended; at once if it already has. An
   * error that `listener` throws is an uncaught exception. It keeps the process alive. It is not
   * called for an unknown task, or if the app is closed before. Throws `INVALID_OPTION` for a value
   * that is not a function.
   */
  onDone(listener: (outcome: TaskOutcome<Result>, result: this) => void): void {
    checkListener(listener);
    callBack([this], ([record = ignored]) => listener(outcomeOf(record), this));
  }

  /**
   * Revokes the task: it does not start any more. If it runs, its `signal` aborts; with `terminate`
   * it is ended at once. Waiting clients are notified at once. Returns whether it is revoked:
   * `false` for a task that has ended otherwise, and for one in no queue. The result of a flow
   * revokes all of the flow that has not ended. When it rejects it may have taken effect; it is
   * safe to repeat.
   */
  async revoke(options: RevokeOptions = {}): Promise<boolean> {
    const { id, flow } = this.#reference;
    const [revoked = false] = await this.#source().revoke([id], this.#reference, options, flow);
    return revoked;
  }

  /**
   * Removes the result, those of the steps before it in a chain, and all else that is kept of ended
   * tasks: arguments, errors, dead letters. Of a task that has not ended it removes the record
   * only: revoke it first. Redis drops the data from its AOF or snapshot at the next rewrite.
   */
  async forget(): Promise<void> {
    await forget(this, this.#source());
  }

  /**
   * The handle as plain data, with the steps before it, to store or to pass to a task.
   * `app.restoreResult(data)` restores it in any process. It contains ids and names, no values.
   */
  toJSON(): ResultData {
    return resultData(this);
  }

  /**
   * @internal Calls `listener` with the end of the task, until the returned function is called.
   * Never throws.
   */
  watch(listener: Listener): () => void {
    const record = this.#reference.ignoreResult ? ignored : this.#held;
    try {
      if (record === undefined) return this.#watch(listener);
      queueMicrotask(() => listener.onEnd(record));
    } catch (error) {
      // The app is closed.
      queueMicrotask(() => listener.onError(error));
    }
    return () => undefined;
  }

  #watch(listener: Listener): () => void {
    const awaited = this.#seen ? { ...this.#reference, missed: undefined } : this.#reference;
    const onEnd = (record: TaskRecord) => {
      this.#seen = true;
      listener.onEnd(record);
    };
    return this.#source().waiter.watch(awaited, { ...listener, onEnd });
  }

  /** @internal Takes `record` as the end of the task, without a read, until it is called again. */
  hold(record: TaskRecord | undefined): void {
    this.#held = record;
  }

  /** @internal */
  get reference(): Reference {
    return this.#reference;
  }

  /** @internal The error that `get()` throws for a terminal record. */
  errorOf(record: TaskRecord): TaskFailedError | TaskRevokedError | undefined {
    return errorOf(record, this.id, this.#reference.task);
  }

  /**
   * @internal The error that `get()` throws after `timeout` ms; `outage` is its cause, if there is
   * one.
   */
  timeoutError(timeout: number, outage?: BullrushError): TimeoutError {
    return new TimeoutError(this.#reference.task ?? "task", this.id, timeout, runningTask()?.runnerPool, outage);
  }

  #ended(options: GetOptions, onPending?: () => void): Promise<TaskRecord> {
    return new Promise((resolve, reject) => {
      const giveUp = (reason: unknown) => {
        stop();
        fail(reason);
      };
      const onTimeout = (timeout: number, outage?: BullrushError) => giveUp(this.timeoutError(timeout, outage));
      const { release, onOutage } = limitWait(options, { onTimeout, onAbort: giveUp });
      const fail = (reason: unknown) => {
        release();
        reject(reason);
      };
      const onEnd = (record: TaskRecord) => {
        release();
        resolve(record);
      };
      const stop = this.watch({ onEnd, onError: fail, onPending, onOutage });
    });
  }

  /** Reads the record. A task that polls until the end is noted as waiting. */
  async #poll(): Promise<TaskRecord | undefined> {
    const record = await this.#read();
    await this.#polled(record?.state);
    return record;
  }

  /** Reads the record, or what stands for it. */
  async #pollAll(options?: { readonly withLoan: boolean }): Promise<Seen> {
    const seen = await look(this.#reference, this.#source().engine, options?.withLoan === true);
    await this.#polled(seen.record.state);
    return seen;
  }

  async #polled(state: TaskState = "UNKNOWN"): Promise<void> {
    await polledInTask(this.id, isTerminal(state), [this]);
  }

  async #read(): Promise<TaskRecord | undefined> {
    return readRecord(this.id, this.#source().engine);
  }
}
