import { getMaxListeners, setMaxListeners } from "node:events";
import {
  isTerminal,
  longestTimer,
  toMilliseconds,
  type Duration,
  type Failure,
  type ResultBackend,
  type TaskRecord,
  type TaskState,
  type Transport,
} from "@bullrush/broker";
import type { Revoke, RevokeOptions } from "../control/revoke.js";
import { checkOptions, isDuration, isFlag, isSignal, type Check } from "../task/check.js";
import { TaskFailedError, TaskRevokedError, TimeoutError } from "./errors.js";
import type { ResultWaiter } from "./waiter.js";

/** How a task ended, as a value. */
export type TaskOutcome<Result> =
  | { readonly state: "SUCCESS"; readonly result: Result }
  | { readonly state: "FAILURE"; readonly failure: Failure }
  | { readonly state: "REVOKED"; readonly reason: string };

export interface GetOptions {
  /** Longest time to wait; then `get` rejects with `TimeoutError`, and the task goes on. Default: no limit. */
  readonly timeout?: Duration;
  /** Ends the waiting, not the task; `get` rejects with the signal's reason. */
  readonly signal?: AbortSignal;
  /** Whether a failed or revoked task makes `get` reject (default), or gives its outcome as a value. */
  readonly propagate?: boolean;
}

const getChecks: Record<keyof GetOptions, Check> = { timeout: isDuration, signal: isSignal, propagate: isFlag };

/** What a handle needs of its app. @internal */
export interface ResultSource {
  readonly transport: Transport;
  readonly backend: ResultBackend;
  readonly waiter: ResultWaiter;
  readonly revoke: Revoke;
}

/** What a handle knows of its task from the start. @internal */
export interface Reference {
  readonly id: string;
  readonly task?: string;
  /** The queues that it may be in. */
  readonly queues: readonly string[];
  /** Whether this process sent it, and so is told of its end. */
  readonly own: boolean;
  /** What `missed` of the waiter was before it was sent. */
  readonly missed?: number | undefined;
  readonly ignoreResult?: boolean;
  /** Id of the flow of which it is the result. */
  readonly flow?: string;
  readonly parent?: unknown;
}

/**
 * The handle on the result of a task. It holds nothing open and is not thenable: awaiting `delay()` gives the handle, `get()` the value.
 */
export class AsyncResult<Result = unknown> {
  readonly id: string;
  readonly parent: unknown;
  readonly #source: () => ResultSource;
  readonly #reference: Reference;

  /** @internal */
  constructor(source: () => ResultSource, reference: Reference) {
    this.id = reference.id;
    this.parent = reference.parent;
    this.#source = source;
    this.#reference = reference;
  }

  /**
   * The returned value, once the task has ended; at once and `undefined` for one that ignores its result.
   * Throws `TaskFailedError` (its `cause` has name, message and remote stack), `TaskRevokedError`, `TimeoutError`, `UnknownTaskError` when nobody knows
   * the id (never for a task just sent), `RESULT_BACKEND_UNAVAILABLE`, `INVALID_OPTION`.
   */
  get(options?: GetOptions & { readonly propagate?: true }): Promise<Result>;
  /** How the task ended, as a value, once it has. */
  get(options: GetOptions & { readonly propagate: false }): Promise<TaskOutcome<Result>>;
  async get(options?: GetOptions): Promise<Result | TaskOutcome<Result>> {
    if (options !== undefined) checkOptions(options, getChecks, "of get()");
    const { timeout, signal, propagate = true } = options ?? {};
    if (this.#reference.ignoreResult) return propagate ? (undefined as Result) : { state: "SUCCESS", result: undefined as Result };
    const record = await this.#ended(timeout, signal);
    if (!propagate) return outcomeOf(record);
    const error = this.#errorOf(record);
    if (error !== undefined) throw error;
    return record.result as Result;
  }

  /** What observers see of it now: `PENDING`, `STARTED`, `SUCCESS`, … or `UNKNOWN`. */
  async status(): Promise<TaskState> {
    const { id, queues } = this.#reference;
    const { transport } = this.#source();
    const record = await this.#read();
    if (record !== undefined) return record.state;
    const [location] = await transport.locate([{ id, queues }]);
    if (location === "taken") return "STARTED";
    if (location === "waiting") return "PENDING";
    // It may have ended between the two looks.
    return (await this.#read())?.state ?? (location === "absent" ? "UNKNOWN" : "REVOKED");
  }

  /** Whether it has ended, whichever way. */
  async ready(): Promise<boolean> {
    return isTerminal((await this.#read())?.state ?? "UNKNOWN");
  }

  /** Whether it has ended well. */
  async successful(): Promise<boolean> {
    return (await this.#read())?.state === "SUCCESS";
  }

  /** Whether it has ended with an error. */
  async failed(): Promise<boolean> {
    return (await this.#read())?.state === "FAILURE";
  }

  /** The returned value, or the error that `get()` would throw, or `undefined` while it has not ended; never waits. */
  async result(): Promise<Result | TaskFailedError | TaskRevokedError | undefined> {
    const record = await this.#read();
    if (record === undefined) return undefined;
    return this.#errorOf(record) ?? (record.result as Result | undefined);
  }

  /** As `result()`; for a task that set a state of its own, such as PROGRESS, the `meta` that it gave; for one that will be retried, `{ failure, eta }`. */
  async info(): Promise<unknown> {
    const record = await this.#read();
    if (record === undefined) return undefined;
    if (record.state === "RETRY") return { failure: failureOf(record), eta: new Date(record.eta ?? 0) };
    return isTerminal(record.state) ? (this.#errorOf(record) ?? record.result) : record.meta;
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
   * Calls it off: it does not run any more, and if it runs its `signal` aborts, or with `terminate` it is ended at once. Whoever waits
   * hears of it now. Gives whether it is revoked; `false` for one that has ended otherwise, while its result or its queue remembers that.
   * A handle that was made from an id looks into the queues that the app declares: a task in another one still runs, and what it comes to
   * is dropped.
   */
  async revoke(options: RevokeOptions = {}): Promise<boolean> {
    const [revoked] = await this.#source().revoke([this.id], this.#reference.queues, options);
    return revoked === true;
  }

  /** Removes what the result backend keeps of it. */
  async forget(): Promise<void> {
    await this.#source().backend.forget([this.id]);
  }

  async #read(): Promise<TaskRecord | undefined> {
    const [record] = await this.#source().backend.read([this.id]);
    return record;
  }

  /** The record once it is terminal. What bounds the waiting is made only if it is asked for: most gets have no bounds. */
  #ended(timeout: Duration | undefined, signal: AbortSignal | undefined): Promise<TaskRecord> {
    signal?.throwIfAborted();
    const longest = timeout === undefined ? undefined : toMilliseconds(timeout, "timeout");
    const { ended, giveUp } = this.#source().waiter.wait(this.#reference);
    if (longest === undefined && signal === undefined) return ended;
    const timer = longest === undefined ? undefined : this.#giveUpAfter(longest, giveUp);
    const onAbort = () => giveUp(signal?.reason);
    if (signal !== undefined) listen(signal, onAbort);
    return ended.finally(() => {
      clearTimeout(timer);
      if (signal !== undefined) unlisten(signal, onAbort);
    });
  }

  #giveUpAfter(timeout: number, giveUp: (reason: unknown) => void): NodeJS.Timeout {
    return setTimeout(() => giveUp(new TimeoutError(this.#name, this.id, timeout)), Math.min(timeout, longestTimer));
  }

  #errorOf(record: TaskRecord): TaskFailedError | TaskRevokedError | undefined {
    const name = record.task ?? this.#name;
    if (record.state === "FAILURE") return new TaskFailedError(name, this.id, failureOf(record));
    if (record.state === "REVOKED") return new TaskRevokedError(name, this.id, record.reason ?? "no reason given");
    return undefined;
  }

  get #name(): string {
    return this.#reference.task ?? "task";
  }
}

/** Many gets with one signal are no leak, of which Node would warn: each adds to what the signal allows. */
function listen(signal: AbortSignal, onAbort: () => void): void {
  allowMore(signal, 1);
  signal.addEventListener("abort", onAbort);
}

function unlisten(signal: AbortSignal, onAbort: () => void): void {
  signal.removeEventListener("abort", onAbort);
  allowMore(signal, -1);
}

function allowMore(signal: AbortSignal, more: number): void {
  const most = getMaxListeners(signal);
  if (most > 0) setMaxListeners(most + more, signal);
}

function outcomeOf<Result>(record: TaskRecord): TaskOutcome<Result> {
  if (record.state === "FAILURE") return { state: "FAILURE", failure: failureOf(record) };
  if (record.state === "REVOKED") return { state: "REVOKED", reason: record.reason ?? "no reason given" };
  return { state: "SUCCESS", result: record.result as Result };
}

function failureOf(record: TaskRecord): Failure {
  return record.failure ?? { name: "Error", message: "the stored failure is incomplete" };
}
