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
 * The handle on the result of a task. It holds nothing open and is not thenable: awaiting `delay()` gives the handle, `get()` the value.
 */
export class AsyncResult<Result = unknown> implements Handle<Result> {
  /** @internal */
  readonly [mark.single] = true;
  readonly id: string;
  /** The handle of the step before, in a chain: of a group, a `GroupResult`. */
  readonly parent: Handle | undefined;
  readonly #source: () => ResultSource;
  readonly #reference: Reference;
  #held: TaskRecord | undefined;
  /** Whether its end was seen here: no news of it is to come then. */
  #seen = false;

  /** @internal */
  constructor(source: () => ResultSource, reference: Reference) {
    this.id = reference.id;
    this.parent = reference.parent;
    this.#source = source;
    this.#reference = reference;
  }

  /** How the task ended, as a value, once it has. */
  get(options: GetOptions & { readonly propagate: false }): Promise<TaskOutcome<Result>>;
  /**
   * The returned value, once the task has ended; at once and `undefined` for one that ignores its result.
   * Throws `TaskFailedError` (its `cause` has name, message and remote stack), `TaskRevokedError`, `TimeoutError`, `UnknownTaskError` when nobody knows
   * the id (never for a task just sent), `INVALID_OPTION`, and without a `timeout` `RESULT_BACKEND_UNAVAILABLE`: with one it outlasts an outage.
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

  /** What observers see of it now: `PENDING`, `STARTED`, `SUCCESS`, … or `UNKNOWN`. */
  async status(): Promise<TaskState> {
    return (await this.#pollAll()).record.state;
  }

  /** Whether it has ended, whichever way. */
  async ready(): Promise<boolean> {
    return isTerminal((await this.#poll())?.state ?? "UNKNOWN");
  }

  /** Whether it has ended well. */
  async successful(): Promise<boolean> {
    return (await this.#poll())?.state === "SUCCESS";
  }

  /** Whether it has ended with an error. */
  async failed(): Promise<boolean> {
    return (await this.#poll())?.state === "FAILURE";
  }

  /** The returned value, or the error that `get()` would throw, or `undefined` while it has not ended; never waits. */
  async result(): Promise<Result | TaskFailedError | TaskRevokedError | undefined> {
    const record = await this.#poll();
    if (record === undefined) return undefined;
    return this.errorOf(record) ?? (record.result as Result | undefined);
  }

  /** As `result()`; for a task that set a state of its own, such as PROGRESS, the `meta` that it gave; for one that will be retried, `{ failure, eta }`. */
  async info(): Promise<unknown> {
    const record = await this.#poll();
    if (record === undefined) return undefined;
    if (record.state === "RETRY") return { failure: failureOf(record), eta: new Date(record.eta ?? 0) };
    return isTerminal(record.state) ? (this.errorOf(record) ?? record.result) : record.meta;
  }

  /** Name of the worker that ran it, once it has ended. */
  async worker(): Promise<string | undefined> {
    return (await this.#read())?.worker;
  }

  /** How many attempts it took, once it has ended; how many there were, while it waits to be retried. */
  async attempts(): Promise<number | undefined> {
    return (await this.#read())?.attempt;
  }

  /**
   * All that is known of it now, read at once: names, times, attempts, and what the other methods give one by one. Of one that runs, who runs it, since when, at which attempt and delivery,
   * and what is left of its lease.
   */
  async details(): Promise<TaskDetails<Result>> {
    const { record, loan } = await this.#pollAll({ withLoan: true });
    return detailsOf(this.id, { record, loan, name: this.#reference.task });
  }

  /** Handles on the tasks that it sent while it ran, or during its last attempt, in the order in which they were sent; at most 1,000. None before it has ended or waits to be retried. */
  async children(): Promise<readonly AsyncResult[]> {
    const record = await this.#read();
    const { queues } = this.#source().options;
    return (record?.children ?? []).map((id) => new AsyncResult(this.#source, { id, queues, elsewhere: true, own: false }));
  }

  /**
   * What the task says of its progress, as it says it: each state of its own, with its `meta`. Ends when the task does, and then returns its outcome;
   * a failure is only thrown with `propagate: true`. Throws what `get()` throws otherwise. What is said faster than it is taken is kept up to 100 reports.
   */
  iterate(options: IterateOptions = {}): AsyncGenerator<Progress, TaskOutcome<Result>, undefined> {
    return iterateProgress<Result>(this, options);
  }

  /**
   * Calls `listener` once, when the task has ended, in this process; at once if it has. What `listener` throws is an uncaught exception. It keeps the process alive,
   * and is not called when nobody knows the task, or when the app is closed before. Throws `INVALID_OPTION` for what cannot be called.
   */
  onDone(listener: (outcome: TaskOutcome<Result>, result: this) => void): void {
    checkListener(listener);
    callBack([this], ([record = ignored]) => listener(outcomeOf(record), this));
  }

  /**
   * Calls it off: it does not run any more, and if it runs its `signal` aborts, or with `terminate` it is ended at once. Whoever waits
   * hears of it now. Gives whether it is revoked; `false` for one that has ended otherwise, and for one that is in no queue.
   * The result of a flow takes all of the flow along that has not ended. When it rejects it may have taken effect; it is safe to repeat.
   */
  async revoke(options: RevokeOptions = {}): Promise<boolean> {
    const { id, flow } = this.#reference;
    const [revoked = false] = await this.#source().revoke([id], this.#reference, options, flow);
    return revoked;
  }

  /**
   * Removes the result, and those of the steps before it in a chain, and all else that is kept of tasks that have ended: arguments, errors, dead letters. Of a task that has not ended only
   * its record goes: revoke it first. What an AOF or a snapshot of Redis has of them is rewritten in its time.
   */
  async forget(): Promise<void> {
    await forget(this, this.#source());
  }

  /**
   * The handle as plain data, with the steps before it: to be kept, or to be an argument of a task. `app.restoreResult(data)` makes a handle of them again, in whichever
   * process. They hold ids and names, no values.
   */
  toJSON(): ResultData {
    return resultData(this);
  }

  /** @internal Tells `listener` how it ends, until the returned function is called. Never throws. */
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

  /** @internal Takes `record` for its end, without looking, until it is given another one or none. */
  hold(record: TaskRecord | undefined): void {
    this.#held = record;
  }

  /** @internal */
  get reference(): Reference {
    return this.#reference;
  }

  /** @internal What `get()` throws for its terminal record. */
  errorOf(record: TaskRecord): TaskFailedError | TaskRevokedError | undefined {
    return errorOf(record, this.id, this.#reference.task);
  }

  /** @internal What `get()` throws after `timeout` ms, because of `outage` if there is one. */
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

  /** Its record, looked at by a task perhaps that will look again until it has ended. */
  async #poll(): Promise<TaskRecord | undefined> {
    const record = await this.#read();
    await this.#polled(record?.state);
    return record;
  }

  /** The same, or what there is instead of its record. */
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
