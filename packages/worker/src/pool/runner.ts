import { toFailure, type Outcome } from "@bullrush/broker";
import { SoftTimeLimitExceeded, TaskRevokedError } from "@bullrush/client";
import { logOutput, redact, redactFailure } from "@bullrush/program";
import type { Logger } from "pino";
import { readerOf, type Execution } from "../execution/execution.js";
import type { StoreState } from "../execution/state-store.js";
import { launchChild, type ChildHandle, type Launch } from "./child-handle.js";
import { writeLine } from "./lines.js";
import type { FromRunner, Load, StopReason } from "./messages.js";

export interface RunnerOptions {
  readonly launch: Launch;
  readonly load: Load;
  readonly storeState: StoreState;
  /** Hears each time that a task waits for others. */
  readonly onWait: (execution: Execution) => void;
  readonly log: Logger;
}

/** How the start of a runner went. `died` is how it ended. What is said of it is without the passwords of URLs. */
export type Start =
  | { readonly type: "ready" }
  | { readonly type: "unloadable"; readonly reason: string }
  | { readonly type: "died"; readonly how: string };

/** What a runner is doing. */
interface Run {
  readonly number: number;
  readonly execution: Execution;
  readonly finish: (outcome: Outcome) => void;
}

/** How long a runner that was asked to end may take to close what it has open, in ms. */
const patience = 2000;

/** One child of a pool, from its launch to its end: loads the app once, then runs one execution at a time. */
export class Runner {
  /** Never rejects. */
  readonly started: Promise<Start>;
  /** Resolves with how it ended, without the passwords of URLs. */
  readonly exited: Promise<string>;
  readonly #options: RunnerOptions;
  readonly #child: ChildHandle;
  #onStart: (start: Start) => void = () => {};
  #run: Run | undefined;
  #runs = 0;
  #memory = 0;
  #killed: Error | undefined;
  #crash: Extract<FromRunner, { type: "crash" }> | undefined;
  #faulty = false;
  #ending = false;
  #ended = false;
  #endTimer: NodeJS.Timeout | undefined;

  constructor(options: RunnerOptions) {
    this.#options = options;
    this.started = new Promise((resolve) => {
      this.#onStart = resolve;
    });
    this.#child = launchChild(options.launch, (message) => this.#onMessage(message), options.load.captureConsole);
    this.exited = this.#child.exited.then((how) => this.#end(redact(how)));
    this.#child.send(options.load);
  }

  get name(): string {
    return this.#child.name;
  }

  get facts(): ChildHandle["facts"] {
    return this.#child.facts;
  }

  /** Where debuggers may attach to it, if it has a port of its own. */
  get debugger(): string | undefined {
    return this.#child.debugger;
  }

  /** How many executions it has begun. */
  get runs(): number {
    return this.#runs;
  }

  get busy(): boolean {
    return this.#run !== undefined;
  }

  /** Whether it ends, or has ended, because it was told to. */
  get ending(): boolean {
    return this.#ending;
  }

  /** Whether it is there, or will be, for further executions. */
  get usable(): boolean {
    return !this.#ending && !this.#ended && !this.#faulty && this.#crash === undefined;
  }

  /** Whether it is to be ended after what it runs, because of an exception that nobody caught. */
  get faulty(): boolean {
    return this.#faulty && !this.#ending && !this.#ended && this.#crash === undefined;
  }

  /** Its resident memory after the last execution, in bytes. */
  get memory(): number {
    return this.#memory;
  }

  /** Runs one execution; to be called when it has started, for one at a time. Never rejects. */
  async run(execution: Execution): Promise<Outcome> {
    const { stop, message, delivery } = execution;
    const reader = readerOf(execution);
    if (!this.usable) return { type: "requeued", reason: `${this.name} has ended` };
    if (stop.requested) return { type: "requeued", reason: "asked to end before it began" };
    return new Promise((resolve) => {
      const run: Run = { number: ++this.#runs, execution, finish: resolve };
      this.#run = run;
      stop.onRequest((reason) => {
        if (this.#run === run) this.#child.send({ type: "stop", run: run.number, reason: reasonOf(reason) });
      });
      stop.onKill((reason) => {
        if (this.#run === run) this.kill(reason);
      });
      this.#child.send({ type: "run", run: run.number, queue: delivery.queue, message: JSON.stringify(message), reader });
      execution.onBegin?.();
    });
  }

  /** Ends it when it has closed what it has open, or is too slow at it. To be called between executions. */
  end(): void {
    this.#ending = true;
    this.#child.send({ type: "end" });
    this.#endTimer ??= setTimeout(() => this.#child.kill(), patience);
  }

  /** Ends it at once. What it runs has failed with `reason`. */
  kill(reason: Error): void {
    this.#ending = true;
    this.#killed ??= reason;
    this.#child.kill();
  }

  #onMessage(message: FromRunner): void {
    switch (message.type) {
      case "ready":
        this.#onStart(message);
        break;
      case "unloadable":
        this.#onStart({ ...message, reason: redact(message.reason) });
        break;
      case "done":
        this.#memory = message.memory;
        if (message.run !== this.#run?.number) break;
        if (message.children !== undefined) this.#run.execution.trace.addChildren(message.children);
        this.#finish(message.outcome);
        break;
      case "state":
        void this.#store(message);
        break;
      case "waits":
        if (message.run === this.#run?.number) this.#options.onWait(this.#run.execution);
        break;
      case "output":
        logOutput(this.#options.log, message, this.facts);
        break;
      case "log":
        writeLine(this.#options.log, message.line);
        break;
      case "crash":
        this.#crash ??= message;
        this.#tellUncaught(message, endingOf(message));
        break;
      case "fault":
        this.#faulty = true;
        this.#tellUncaught(message, "its task had ended, so it counts as no crash, and the runner ends after what it runs");
        break;
    }
  }

  async #store({ run, call, state, meta }: Extract<FromRunner, { type: "state" }>): Promise<void> {
    // What a task that has ended says belatedly is not stored.
    if (run === this.#run?.number) {
      await this.#options.storeState(this.#run.execution, state, meta);
    }
    this.#child.send({ type: "stored", call });
  }

  /** Names the task that threw it; if that is not known, the one that ran. */
  #tellUncaught(message: Extract<FromRunner, { type: "crash" | "fault" }>, ending: string): void {
    const { failure, task, id } = message;
    const ran = message.type === "crash" && message.run === this.#run?.number ? this.#run?.execution.message : undefined;
    const named = id === undefined ? ran && { task: ran.task, id: ran.id } : { task, id };
    const facts = { ...this.facts, ...named, ...redactFailure(failure) };
    this.#options.log.error(facts, `an exception was thrown, and nobody caught it: ${ending}`);
  }

  #finish(outcome: Outcome): void {
    const run = this.#run;
    this.#run = undefined;
    run?.finish(outcome);
  }

  #end(how: string): string {
    this.#ended = true;
    clearTimeout(this.#endTimer);
    this.#onStart({ type: "died", how });
    this.#finish(this.#outcomeOfEnd(how));
    return how;
  }

  /** How the execution ends with which the runner has ended. */
  #outcomeOfEnd(how: string): Outcome {
    if (this.#killed !== undefined) return { type: "failed", failure: toFailure(this.#killed) };
    // It was on its way to a runner that ended without it.
    if (this.#crash !== undefined && this.#crash.run !== this.#run?.number) {
      return { type: "requeued", reason: `${this.name} ended before it began` };
    }
    return { type: "crashed", reason: `${this.name} died (${how})` };
  }
}

function endingOf({ run, id }: Extract<FromRunner, { type: "crash" }>): string {
  if (run === undefined) return id === undefined ? "the runner ends" : "its task had ended, and the runner ends";
  return id === undefined
    ? "it is of no known task and counts as a crash of what ran here, and the runner ends"
    : "it counts as a crash of this task, and the runner ends";
}

function reasonOf(reason: Error): StopReason {
  if (reason instanceof SoftTimeLimitExceeded) return { type: "soft-time-limit", ...reason.details };
  if (reason instanceof TaskRevokedError) return { type: "revoked", ...reason.details };
  return { type: "other", failure: toFailure(reason) };
}
