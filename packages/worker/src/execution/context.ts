import { BullrushError, checkSize, encodeJson, type Json, type Message } from "@bullrush/broker";
import {
  Ignore,
  Reject,
  Replace,
  Retry,
  type App,
  type AwaitedTasks,
  type Canvas,
  type Handle,
  type Loan,
  type RejectOptions,
  type RetryOptions,
  type SingleCall,
  type TaskContext,
  type TaskOptions,
} from "@bullrush/client";
import type { Logger } from "pino";
import type { Stop } from "./stop.js";
import { timeLimitsOf, type TimeLimits } from "./time-limits.js";
import type { RunTrace } from "./run-trace.js";

/** What a context knows of the execution that it stands for. */
export interface Subject {
  readonly message: Message;
  readonly delivery: { readonly queue: string };
  readonly stop: Stop;
  readonly trace: RunTrace;
}

/** What all contexts of a worker share. */
export interface ContextSource<E extends Subject> {
  /** Name of the worker. */
  readonly worker: string;
  readonly log: Logger;
  /** The limits of tasks that have none of their own. */
  readonly limits: TimeLimits;
  /** Longest encoded meta, in bytes. */
  readonly maxPayload: number;
  /** Stores a state of the task's own, with `meta`, which is JSON, if its results are stored. Never rejects: what is only news of a task must not make it fail. */
  readonly storeState: (execution: E, state: string, meta: string | undefined) => Promise<void>;
  /** The pool, if it is one of runners. */
  readonly runnerPool?: "threads" | "processes";
  /** Adds a call to the group of which the task is a member; `ordinal` counts these calls in one run, from 0. */
  readonly addToChord: App["addToChord"];
  /** Hears that the task waits for others. Gives the loan of its slot, if it is lent. */
  readonly onWait: (execution: E, awaited: AwaitedTasks) => Loan | undefined;
  /** Hears that the task has looked at a result, and whether it was there. */
  readonly onPoll?: (execution: E, id: string, ended: boolean, awaited: AwaitedTasks) => Promise<void> | undefined;
}

const customState = /^[A-Z][A-Z0-9_]{0,63}$/;
const ownStates: readonly string[] = ["UNKNOWN", "PENDING", "STARTED", "RETRY", "SUCCESS", "FAILURE", "REVOKED"];

/** The running task, as its function sees it. What few tasks use is made when it is first asked for. */
export class ExecutionContext<E extends Subject> implements TaskContext {
  readonly #execution: E;
  readonly #message: Message;
  readonly #source: ContextSource<E>;
  readonly #options: TaskOptions;
  #log: Logger | undefined;
  #additions = 0;

  /** @param options those of the task's declaration */
  constructor(execution: E, source: ContextSource<E>, options: TaskOptions) {
    this.#options = options;
    this.#execution = execution;
    this.#message = execution.message;
    this.#source = source;
  }

  get id(): string {
    return this.#message.id;
  }

  get name(): string {
    return this.#message.task;
  }

  get args(): readonly unknown[] {
    return this.#message.args;
  }

  get attempt(): number {
    return this.#message.retries + 1;
  }

  get retries(): number {
    return this.#message.retries;
  }

  get queue(): string {
    return this.#execution.delivery.queue;
  }

  get worker(): string {
    return this.#source.worker;
  }

  get rootId(): string {
    return this.#message.rootId;
  }

  get parentId(): string | undefined {
    return this.#message.parentId;
  }

  get groupId(): string | undefined {
    return this.#message.groupId;
  }

  get eta(): Date | undefined {
    return dateOf(this.#message.eta);
  }

  get expires(): Date | undefined {
    return dateOf(this.#message.expires);
  }

  get headers(): Readonly<Record<string, Json>> {
    return this.#message.headers;
  }

  get priority(): number {
    return this.#message.priority;
  }

  get timeLimit(): number | undefined {
    return this.#limits.hard;
  }

  get softTimeLimit(): number | undefined {
    return this.#limits.soft;
  }

  get #limits(): TimeLimits {
    return timeLimitsOf(this.#message, this.#options, this.#source.limits);
  }

  get signal(): AbortSignal {
    return this.#execution.stop.signal;
  }

  get log(): Logger {
    return (this.#log ??= this.#source.log.child({ task: this.name, id: this.id }));
  }

  retry(options?: RetryOptions): never {
    throw new Retry(this.name, options);
  }

  reject(options?: RejectOptions): never {
    throw new Reject(this.name, options);
  }

  ignore(): never {
    throw new Ignore(this.name);
  }

  replace(canvas: Canvas): never {
    throw new Replace(this.name, canvas);
  }

  addToChord<Sent extends Handle>(signature: SingleCall<Sent>): Promise<Sent> {
    return this.#source.addToChord(signature, this.#message, this.#additions++);
  }

  onSent(id: string): void {
    this.#execution.trace.addChildren([id]);
  }

  get runnerPool(): "threads" | "processes" | undefined {
    return this.#source.runnerPool;
  }

  onWait(awaited: AwaitedTasks): Loan | undefined {
    return this.#source.onWait(this.#execution, awaited);
  }

  onPoll(id: string, ended: boolean, awaited: AwaitedTasks): Promise<void> | undefined {
    return this.#source.onPoll?.(this.#execution, id, ended, awaited);
  }

  progress(meta: unknown): Promise<void> {
    return this.updateState("PROGRESS", meta);
  }

  async updateState(state: string, meta?: unknown): Promise<void> {
    if (!customState.test(state) || ownStates.includes(state)) {
      throw new BullrushError("INVALID_OPTION", {
        option: "the state of updateState()",
        got: JSON.stringify(String(state).slice(0, 80)),
        expected: `up to 64 capitals, digits and _, none of ${ownStates.join(", ")}`,
      });
    }
    const { maxPayload, storeState } = this.#source;
    const what = `the meta of ${this.name}`;
    const text = encodeJson(meta, what);
    if (text !== undefined) checkSize(text, what, maxPayload);
    await storeState(this.#execution, state, text);
  }
}

function dateOf(time: number | undefined): Date | undefined {
  return time === undefined ? undefined : new Date(time);
}
