import { BullrushError, type Outcome } from "@bullrush/broker";
import type { Logger } from "pino";
import type { Execution } from "../execution/execution.js";
import type { Stop } from "../execution/stop.js";
import type { Pool } from "./pool.js";
import { Runner, type RunnerOptions } from "./runner.js";

export interface RunnerPoolOptions {
  readonly runner: RunnerOptions;
  /** How many runners there are at least. More are started when there is something to run for them. */
  readonly min: number;
  /** How long a runner beyond `min` may have nothing to do before it is ended, in ms. */
  readonly idle: number;
  /** A runner is replaced when it has run so many tasks. */
  readonly maxTasks: number;
  /** A runner is replaced when it has more than these bytes of resident memory after a task. */
  readonly maxMemory: number;
  readonly log: Logger;
  /** Hears, at most once, that no runners can be started any more. */
  readonly onFailure: (error: BullrushError) => void;
}

/** How many runners in a row may die before they are ready. */
const maxFailures = 3;

/** Runs each task in a child of its own while it lasts. How many run at once is for the slots to say. */
export class RunnerPool implements Pool {
  readonly #options: RunnerPoolOptions;
  readonly #runners = new Set<Runner>();
  /** Those that are not ready yet. */
  readonly #starting = new Set<Runner>();
  /** Those that are ready and run nothing, the last used last: it is used again first, so that the others are seen to be idle. */
  readonly #free: Runner[] = [];
  /** Executions that are to get the next runner that is free, be it a new one or not; none is for a pool that is closed. */
  readonly #waiting: ((runner: Runner | undefined) => void)[] = [];
  readonly #idleTimers = new Map<Runner, NodeJS.Timeout>();
  readonly #started: Promise<BullrushError | undefined>;
  #settleStart: (error?: BullrushError) => void = () => {};
  #failures = 0;
  #closed = false;

  constructor(options: RunnerPoolOptions) {
    this.#options = options;
    this.#started = new Promise((resolve) => {
      this.#settleStart = resolve;
    });
  }

  /** One runner first, which shows whether the app can be loaded; then the others. */
  async start(): Promise<void> {
    this.#refill(1);
    const error = await this.#started;
    if (error !== undefined) throw error;
    this.#refill(this.#options.min);
  }

  async run(execution: Execution): Promise<Outcome> {
    if (this.#closed) return { type: "requeued", reason: "the pool is closed" };
    const runner = this.#takeFree() ?? (await this.#nextFree(execution.stop));
    if (runner === undefined) return { type: "requeued", reason: "no runner was there for it" };
    this.#forgetIdle(runner);
    const outcome = await runner.run(execution);
    this.#release(runner);
    return outcome;
  }

  async stop(): Promise<void> {
    this.#close();
    this.#settleStart();
    for (const runner of this.#idleTimers.keys()) this.#forgetIdle(runner);
    const runners = [...this.#runners];
    for (const runner of runners) {
      if (runner.busy) runner.kill(new Error("the worker shuts down"));
      else if (runner.usable) runner.end();
    }
    await Promise.all(runners.map((runner) => runner.exited));
  }

  /** As many runners as there are to be at least, and as many on their way as are waited for. */
  #refill(least = this.#options.min): void {
    while (!this.#closed && (this.#living() < least || this.#starting.size < this.#waiting.length)) this.#launch();
  }

  #living(): number {
    let living = 0;
    for (const runner of this.#runners) if (runner.usable) living++;
    return living;
  }

  #launch(): void {
    const runner = new Runner(this.#options.runner);
    this.#runners.add(runner);
    this.#starting.add(runner);
    void this.#watch(runner);
  }

  /** One that is free now; those that are about to end are not. */
  #takeFree(): Runner | undefined {
    for (;;) {
      const runner = this.#free.pop();
      if (runner === undefined || runner.usable) return runner;
    }
  }

  /** The runner that is free first; none for what is asked to end before. */
  #nextFree(stop: Stop): Promise<Runner | undefined> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      stop.onRequest(() => {
        const index = this.#waiting.indexOf(resolve);
        if (index >= 0) this.#waiting.splice(index, 1);
        resolve(undefined);
      });
      this.#refill();
    });
  }

  /** Follows a runner from its start to its end. */
  async #watch(runner: Runner): Promise<void> {
    const { log } = this.#options;
    const start = await runner.started;
    this.#starting.delete(runner);
    if (start.type === "ready") {
      this.#failures = 0;
      log.info(
        { ...runner.facts, ...(runner.debugger !== undefined && { debugger: runner.debugger }), runners: this.#living() },
        "runner started",
      );
      this.#settleStart();
      this.#offer(runner);
    }
    if (start.type === "unloadable") this.#fail(`${runner.name} cannot load the app: ${start.reason}`);
    const how = await runner.exited;
    this.#runners.delete(runner);
    this.#remove(runner);
    if (this.#closed) return;
    const facts = { ...runner.facts, how, runners: this.#living() };
    if (runner.ending) log.info(facts, "runner ended");
    else log.warn(facts, "runner died");
    if (start.type === "died" && !runner.ending && ++this.#failures >= maxFailures) {
      return this.#fail(`${maxFailures} in a row died before they were ready, ${runner.name} with ${how}`);
    }
    this.#refill();
  }

  #close(): void {
    this.#closed = true;
    for (const take of this.#waiting.splice(0)) take(undefined);
  }

  #fail(reason: string): void {
    if (this.#closed) return;
    this.#close();
    const error = new BullrushError("POOL_FAILED", { reason });
    this.#settleStart(error);
    this.#options.onFailure(error);
  }

  /** After an execution. */
  #release(runner: Runner): void {
    const { maxTasks, maxMemory, log } = this.#options;
    const reason = replacementReason(runner, maxTasks, maxMemory);
    if (reason === undefined || !(runner.usable || runner.faulty)) return this.#offer(runner);
    log.info({ ...runner.facts, reason, tasks: runner.runs, memory: runner.memory }, "runner is replaced");
    runner.end();
    this.#refill();
  }

  /** To whatever has waited longest. */
  #offer(runner: Runner): void {
    if (!runner.usable) return;
    const take = this.#waiting.shift();
    if (take !== undefined) return take(runner);
    const { min, idle } = this.#options;
    this.#free.push(runner);
    if (this.#living() > min)
      this.#idleTimers.set(
        runner,
        setTimeout(() => this.#endIdle(runner), idle),
      );
  }

  #endIdle(runner: Runner): void {
    this.#idleTimers.delete(runner);
    if (this.#living() <= this.#options.min) return;
    this.#remove(runner);
    runner.end();
  }

  #remove(runner: Runner): void {
    this.#forgetIdle(runner);
    const index = this.#free.indexOf(runner);
    if (index >= 0) this.#free.splice(index, 1);
  }

  #forgetIdle(runner: Runner): void {
    clearTimeout(this.#idleTimers.get(runner));
    this.#idleTimers.delete(runner);
  }
}

function replacementReason({ faulty, runs, memory }: Runner, maxTasks: number, maxMemory: number): string | undefined {
  if (faulty) return "an exception that nobody caught";
  if (runs >= maxTasks) return "its number of tasks";
  return memory > maxMemory ? "its memory" : undefined;
}
