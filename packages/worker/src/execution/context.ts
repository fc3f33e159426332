import { BullrushError, checkSize, encodeJson, encodeRecord, type Json, type Message } from "@bullrush/broker";
import { Reject, Retry, type App, type RejectOptions, type RetryOptions, type TaskContext } from "@bullrush/client";
import type { Logger } from "pino";
import type { Execution } from "./execution.js";

/** What all contexts of a worker share. */
export interface ContextSource {
  readonly app: App;
  readonly worker: string;
  readonly log: Logger;
}

const customState = /^[A-Z][A-Z0-9_]{0,63}$/;
const ownStates: readonly string[] = ["UNKNOWN", "PENDING", "STARTED", "RETRY", "SUCCESS", "FAILURE", "REVOKED"];

/** The running task, as its function sees it. What few tasks use is made when it is first asked for. */
export class ExecutionContext implements TaskContext {
  readonly #execution: Execution;
  readonly #message: Message;
  readonly #source: ContextSource;
  #log: Logger | undefined;

  constructor(execution: Execution, source: ContextSource) {
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
    const { definition, startedAt, storesResult } = this.#execution;
    if (!storesResult) return;
    const { app, worker } = this.#source;
    const what = `the meta of ${this.name}`;
    const metaText = encodeJson(meta, what);
    if (metaText !== undefined) checkSize(metaText, what, app.options.maxPayload);
    const { queue, attempt, id } = this;
    const delivery = this.#execution.delivery.number;
    const expires = definition.resultExpires ?? app.options.resultExpires;
    const record = encodeRecord({ state, delivery, meta, task: this.name, queue, worker, attempt, startedAt });
    try {
      await app.backend.store([{ id, delivery, expires, record }]);
    } catch (error) {
      // What is only news of a task must not make it fail.
      this.log.warn({ reason: error instanceof Error ? error.message : String(error) }, "state not stored");
    }
  }
}

function dateOf(time: number | undefined): Date | undefined {
  return time === undefined ? undefined : new Date(time);
}
