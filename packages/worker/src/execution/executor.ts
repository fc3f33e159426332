import { toFailure, type Delivery, type Flow, type Message, type Outcome, type Settlement } from "@bullrush/broker";
import type { TaskDefinition } from "@bullrush/client";
import { redact, redactFailure } from "@bullrush/program";
import type { Check } from "../checks/check.js";
import { createChecks, type ChecksOptions } from "../checks/create-checks.js";
import type { UnknownTask } from "../checks/unregistered.js";
import type { Run } from "../middleware/middleware.js";
import { collect, collected } from "./collect.js";
import { isOnce, isRisky } from "./crash-limit.js";
import type { Execution } from "./execution.js";
import { received, type Received } from "./received.js";
import { replaced } from "./replacing.js";
import { revokedBy } from "./revoked.js";
import { RunTrace } from "./run-trace.js";
import type { Running } from "./running.js";
import { Settler } from "./settler.js";
import type { Stop } from "./stop.js";

export interface ExecutorOptions extends ChecksOptions {
  /** Begins the tasks that run in the place of another. */
  readonly startFlow: (flow: Flow) => Promise<void>;
  /** Passes such a flow through the middleware to `send`. Rejects with what a middleware throws. */
  readonly surroundFlow: (flow: Flow, send: (flow: Flow) => Promise<boolean>) => Promise<boolean>;
  /** Hears that the function of a delivery begins, and whether it must not be called again. */
  readonly onBegin: (delivery: Delivery, isOnce: boolean) => void;
  /** Runs a message that has a task, through all layers. */
  readonly run: Run;
  /** Whether a task that kills its process takes others along. */
  readonly sharesProcess: boolean;
}

/** Brings one delivery from its start to its settlement: checks, middleware, settlement. */
export class Executor {
  /** Makes settlements, those included that are not the end of a run. */
  readonly settler: Settler;
  readonly #options: ExecutorOptions;
  readonly #checks: readonly Check[];
  readonly #unknownTask: UnknownTask;
  /** Tasks of which it is logged that they return what cannot be sent. */
  readonly #unsendable = new Set<string>();

  constructor(options: ExecutorOptions) {
    const settler = new Settler({ ...options, definitionOf: this.#definitionOf });
    const { checks, unknownTask } = createChecks(options, ({ delivery }, reason, pause) => settler.requeue(delivery, reason, pause));
    this.#options = options;
    this.settler = settler;
    this.#checks = checks;
    this.#unknownTask = unknownTask;
  }

  /** Runs a delivery. Resolves with what settles it; `undefined`: its end does not count, or is somebody else's. Never rejects. */
  run(running: Running): Promise<Settlement | undefined> {
    running.startedAt = this.#options.clock.now();
    return this.#end(running, running.startedAt).catch((error: unknown) => this.settler.fail(running, error));
  }

  /**
   * Whether `delivery` may take down the process in which it runs, and others along: it has done so, or been near, as often as is tolerated but for once. Not if it
   * will not run at all.
   */
  isRisky(delivery: Delivery): boolean {
    const { crashes, content, revoked, verdict } = delivery;
    if (crashes === 0 || !this.#options.sharesProcess || content.type === "undecodable") return false;
    const definition = this.#definitionOf(content.message.task);
    return revoked === undefined && verdict === undefined && definition !== undefined && isRisky(delivery, definition);
  }

  readonly #definitionOf = (task: string): TaskDefinition | undefined =>
    this.#options.tasks.get(task) ?? (task === collect.name ? collect : undefined);

  async #end(running: Running, startedAt: number): Promise<Settlement | undefined> {
    const one = received(running.delivery, startedAt, this.#definitionOf);
    for (const check of this.#checks) {
      const answer = check(one);
      const verdict = answer === "pass" ? answer : await answer;
      if (verdict !== "pass") return this.settler.settleUnrun(one, verdict);
    }
    const execution = this.#executionOf(running, one);
    const run = execution.definition === collect ? () => collected(execution.message) : this.#options.run;
    // Asked to end while it was checked, it was put back, or is somebody else's.
    const outcome = running.stop.requested ? undefined : await run(execution);
    return this.#afterRun(running, one, execution, outcome);
  }

  #executionOf(running: Running, { delivery, message, definition, startedAt, storesResult }: Received): Execution {
    if (message === undefined || definition === undefined) throw new Error("a delivery without a task has passed the checks");
    const onBegin = () => {
      const once = isOnce(definition);
      running.begun = true;
      running.startedOnce = once;
      this.#options.onBegin(delivery, once);
    };
    return { delivery, message, definition, startedAt, storesResult, stop: running.stop, trace: new RunTrace(), onBegin };
  }

  async #afterRun(
    running: Running,
    one: Received,
    { message, trace }: Execution,
    outcome: Outcome | undefined,
  ): Promise<Settlement | undefined> {
    const reported = trace.end();
    // A report that came after it would hide it; an end stands whatever comes after it.
    if (outcome?.type === "retried" || outcome?.type === "replaced") await reported;
    if (outcome?.type === "succeeded" && outcome.unsendable !== undefined) this.#noteUnsendable(message.task, outcome.unsendable);
    if (!running.isOpen) return undefined;
    const reason = revokedBy(running.stop);
    if (reason !== undefined) return this.settler.revoke(running, reason);
    if (outcome === undefined) return undefined;
    // Its module has changed since this process loaded it.
    if (outcome.type === "requeued" && outcome.known !== undefined)
      return this.settler.settleUnrun(one, this.#unknownTask(one, outcome.known));
    if (outcome.type === "replaced") {
      const refusal = await this.#startReplacement(outcome.flow, message, running.stop);
      if (refusal === "stopped") return undefined;
      if (refusal !== "started") return this.settler.settle(one, refusal, trace.children);
    }
    if (outcome.type === "succeeded" && outcome.ignored === true) await this.#ignore(one, message);
    return this.settler.settle(one, outcome, trace.children);
  }

  /** Nothing is stored of a task that ignores its run. One without a record is not to read as one that runs. Never rejects: its claim expires. */
  async #ignore(one: Received, { task, id }: Message): Promise<void> {
    one.toStore = "nothing";
    if (!one.isClaimed) return;
    try {
      await this.#options.results.unclaim(one.delivery.id, one.delivery.number);
    } catch (error) {
      this.#options.log.warn({ task, id, ...redactFailure(toFailure(error)) }, "ignored, but reads as STARTED until its claim expires");
    }
  }

  /** Says once for each task that it returns what could not be sent if somebody read it. */
  #noteUnsendable(task: string, reason: string): void {
    if (this.#unsendable.has(task)) return;
    this.#unsendable.add(task);
    this.#options.log.warn({ task, reason: redact(reason) }, "returned what cannot be sent; nobody reads it, so the task has succeeded");
  }

  /** How the task has failed, if a middleware refuses what is to run in its place. */
  async #startReplacement(flow: Flow, message: Message, stop: Stop): Promise<"started" | "stopped" | Outcome> {
    try {
      const isStarted = await this.#options.surroundFlow(flow, (changed) => replaced(changed, { ...this.#options, message, stop }));
      return isStarted ? "started" : "stopped";
    } catch (error) {
      const failure = toFailure(error);
      this.#options.log.error({ task: message.task, id: message.id, ...redactFailure(failure) }, "failed");
      return { type: "failed", failure };
    }
  }
}
