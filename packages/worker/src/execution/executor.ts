import {
  BullrushError,
  isRefused,
  outcomeOfRecord,
  toFailure,
  type Clock,
  type Content,
  type Delivery,
  type Flow,
  type Message,
  type Outcome,
  type Results,
  type Settlement,
  type Verdict,
} from "@bullrush/broker";
import type { TaskDefinition } from "@bullrush/client";
import { redact, redactFailure } from "@bullrush/program";
import type { Logger } from "pino";
import type { Run } from "../middleware/middleware.js";
import { collect, collected } from "./collect.js";
import { crashLimitError, isOnce, maxCrashesOf } from "./crash-limit.js";
import { Grace } from "./grace.js";
import { withLastFailure } from "./last-failure.js";
import { replaced } from "./replacing.js";
import { revokedBy } from "./revoked.js";
import type { Running } from "./running.js";
import { settledBefore, settlementOf } from "./settlement.js";
import type { Stop } from "./stop.js";
import { RunTrace } from "./run-trace.js";

export interface ExecutorOptions {
  readonly tasks: ReadonlyMap<string, TaskDefinition>;
  readonly results: Results;
  /** Begins the tasks that run in the place of another. */
  readonly startFlow: (flow: Flow) => Promise<void>;
  /** Passes such a flow through the middleware to `send`. Rejects with what a middleware throws. */
  readonly surroundFlow: (flow: Flow, send: (flow: Flow) => Promise<boolean>) => Promise<boolean>;
  /** Counts that a delivery begins to run, and gives whether it is still on loan. */
  readonly begin: (delivery: Delivery) => Promise<boolean>;
  /** Hears that the function of a delivery begins, and whether it must not be called again. */
  readonly onBegin: (delivery: Delivery, isOnce: boolean) => void;
  /** Runs a message that has a task, through all layers. */
  readonly run: Run;
  /** Name of the worker. */
  readonly worker: string;
  /** How long results are kept unless their task says otherwise, in ms. */
  readonly resultExpires: number;
  readonly clock: Clock;
  /** From 0 to 1. */
  readonly random: () => number;
  readonly log: Logger;
  /** Whether a task that kills its process takes others along. */
  readonly sharesProcess: boolean;
  /** Leaves a queue alone for a while, in ms, because nothing that it gives can be run now. */
  readonly rest: (queue: string, pause: number) => void;
  /** How long messages are put back that no task here is for, or that are of a newer version, in ms. */
  readonly unregisteredGrace: number;
}

/** For how long a message goes back into its queue that cannot be claimed, in ms; its queue rests as long if none can. */
const unclaimed = 1000;

/** Brings one delivery from its start to its settlement. */
export class Executor {
  readonly #options: ExecutorOptions;
  /** Tasks of which it is logged that they return what cannot be sent. */
  readonly #unsendable = new Set<string>();
  readonly #grace: Grace;

  constructor(options: ExecutorOptions) {
    this.#options = options;
    this.#grace = new Grace({ ...options, grace: options.unregisteredGrace });
  }

  /** Runs a delivery. Resolves with what settles it; `undefined`: its end does not count, or is somebody else's, and nothing is to be settled. Never rejects. */
  run(running: Running): Promise<Settlement | undefined> {
    const startedAt = this.#options.clock.now();
    running.startedAt = startedAt;
    return this.#end(running, startedAt).catch((error: unknown) => this.#fail(running.delivery, startedAt, error));
  }

  /**
   * Whether `delivery` may take down the process in which it runs, and others along: it has done so, or been near, as often as is tolerated but for once. Not if it
   * will not run at all.
   */
  isRisky(delivery: Delivery): boolean {
    const { crashes, content, revoked, verdict } = delivery;
    if (crashes === 0 || !this.#options.sharesProcess || content.type === "undecodable") return false;
    if (revoked !== undefined || verdict !== undefined) return false;
    const definition = this.#definitionOf(content.message.task);
    return definition !== undefined && crashLimitError(delivery, definition) === undefined && crashes >= maxCrashesOf(definition) - 1;
  }

  /** What settles a delivery that brought its process down, and so counts as a crash. */
  crash({ delivery, startedAt = this.#options.clock.now() }: Running, reason: string): Settlement {
    const { clock, log } = this.#options;
    const { id, queue } = delivery;
    log.error({ ...taskOf(delivery), id, queue, ms: clock.now() - startedAt, reason: redact(reason) }, "crashed");
    return { delivery, outcome: { type: "crashed", reason } };
  }

  /** What settles a delivery whose end is not waited for: it goes back into its queue, unless it must not run twice. */
  abandon({ delivery, startedOnce, startedAt = this.#options.clock.now() }: Running, reason: string): Settlement {
    const { content } = delivery;
    if (content.type === "undecodable" || !startedOnce) return this.putBack(delivery, reason);
    const { message } = content;
    const error = new BullrushError("WORKER_LOST", { task: message.task });
    return this.#deadLetter(delivery, startedAt, error, stores(delivery, message, this.#definitionOf(message.task)), reason);
  }

  /** What puts `delivery` back into its queue, run or not, to be taken again after `pause` ms. */
  putBack(delivery: Delivery, reason: string, pause = 0): Settlement {
    const { clock, log } = this.#options;
    const { id, queue } = delivery;
    log.warn({ ...taskOf(delivery), id, queue, reason: redact(reason) }, "requeued");
    return { delivery, outcome: { type: "requeued", reason, ...(pause > 0 && { eta: clock.now() + pause }) } };
  }

  /**
   * What settles a delivery whose settlement was refused again and again, for good: it has failed, and is kept for inspection, without what would follow upon it in flows. `undefined` if it was
   * to go back into its queue: then its lease runs out, and others take it.
   */
  giveUp({ delivery, outcome }: Settlement, reason: string): Settlement | undefined {
    if (outcome.type === "requeued" || outcome.type === "crashed") return undefined;
    const { content } = delivery;
    const message = content.type === "undecodable" ? undefined : content.message;
    const storesResult = message !== undefined && stores(delivery, message, this.#definitionOf(message.task));
    const bare: Delivery =
      message === undefined ? { ...delivery } : { ...delivery, content: { ...content, message: withoutFlows(message) } as Content };
    const error = new BullrushError("SETTLEMENT_REFUSED", { task: message?.task ?? "unknown", reason });
    return this.#deadLetter(bare, this.#options.clock.now(), error, storesResult, reason);
  }

  /** What settles `delivery` as revoked, whatever its task came to. */
  revoke({ delivery, startedAt = this.#options.clock.now() }: Running, reason: string): Settlement {
    const { clock, log } = this.#options;
    const { id, content } = delivery;
    const message = content.type === "undecodable" ? undefined : content.message;
    const definition = message && this.#definitionOf(message.task);
    log.warn({ task: message?.task, id, ms: clock.now() - startedAt, reason: redact(reason) }, "revoked");
    const storesResult = message === undefined || stores(delivery, message, definition);
    return this.#settle(delivery, { type: "revoked", reason }, startedAt, definition, storesResult);
  }

  /** What settles `delivery` as it is known to have ended before. */
  #conclude(delivery: Delivery, message: Message, verdict: Verdict, definition: TaskDefinition | undefined): Settlement {
    const { clock, log } = this.#options;
    const { id } = delivery;
    const { task } = message;
    const now = clock.now();
    const storesResult = stores(delivery, message, definition);
    if (verdict.type === "succeeded") {
      log.info({ task, id }, "not run: it has succeeded before");
      return { delivery, outcome: { type: "succeeded" } };
    }
    const { stack: _, ...failure } = toFailure(new BullrushError("TIME_LIMIT_EXCEEDED", { task, limit: verdict.limit }));
    log.error({ task, id, ...redactFailure(failure) }, "failed");
    return this.#settle(delivery, { type: "failed", failure }, now, definition, storesResult);
  }

  #definitionOf(task: string): TaskDefinition | undefined {
    return this.#options.tasks.get(task) ?? (task === collect.name ? collect : undefined);
  }

  async #end(running: Running, startedAt: number): Promise<Settlement | undefined> {
    const { delivery, stop } = running;
    const { content, revoked, verdict } = delivery;
    if (revoked !== undefined) return this.revoke(running, revoked);
    if (content.type === "undecodable") return this.#unreadable(delivery, content, startedAt);
    const { message } = content;
    const definition = this.#definitionOf(message.task);
    if (verdict !== undefined) return this.#conclude(delivery, message, verdict, definition);
    if (definition === undefined) return this.#unknown(running, message, startedAt);
    const storesResult = stores(delivery, message, definition);
    if (!storesResult && message.resent) {
      const reason = await this.#revokedBefore(message);
      if (reason !== undefined) return this.revoke(running, reason);
    }
    const isClaimed = storesResult && (delivery.number > 1 || message.resent === true);
    if (isClaimed) {
      const earlier = await this.#claim(delivery, message, definition);
      if (earlier !== "claimed") return earlier;
    }
    // Only now: whoever died may have stored its result before.
    const limitError = crashLimitError(delivery, definition);
    if (limitError !== undefined) return this.#deadLetter(delivery, startedAt, limitError, storesResult);
    if (delivery.number > 1 && !(await this.#begin(delivery))) return this.putBack(delivery, "its start could not be counted");
    const onBegin = () => {
      const once = isOnce(definition);
      running.begun = true;
      running.startedOnce = once;
      this.#options.onBegin(delivery, once);
    };
    const trace = new RunTrace();
    const execution = { delivery, message, definition, startedAt, storesResult, stop, trace, onBegin };
    const run = definition === collect ? () => collected(message) : this.#options.run;
    const outcome = stop.requested ? undefined : await run(execution);
    const reported = trace.end();
    // A report that came after it would hide it; an end stands whatever comes after it.
    if (outcome?.type === "retried" || outcome?.type === "replaced") await reported;
    if (outcome?.type === "succeeded" && outcome.unsendable !== undefined) this.#noteUnsendable(message.task, outcome.unsendable);
    if (!running.isOpen) return undefined;
    const reason = revokedBy(stop);
    if (reason !== undefined) return this.revoke(running, reason);
    // Its module has changed since this process loaded it.
    if (outcome?.type === "requeued" && outcome.known !== undefined) return this.#unknown(running, message, startedAt, outcome.known);
    if (outcome?.type === "replaced") {
      const refusal = await this.#startReplacement(outcome.flow, message, stop);
      if (refusal === "stopped") return undefined;
      if (refusal !== "started") return this.#settle(delivery, refusal, startedAt, definition, storesResult, trace.children);
    }
    // Without an outcome, it was put back, or its lease was lost, while the claim was under way.
    const isIgnored = outcome?.type === "succeeded" && outcome.ignored === true;
    if (isIgnored && isClaimed) await this.#unclaim(delivery, message);
    const isStored = storesResult && !isIgnored;
    return outcome && this.#settle(delivery, outcome, startedAt, definition, isStored, trace.children);
  }

  #settle(
    delivery: Delivery,
    outcome: Outcome,
    startedAt: number,
    definition: TaskDefinition | undefined,
    storesResult: boolean,
    children?: readonly string[],
  ): Settlement {
    const { worker, clock, resultExpires } = this.#options;
    const expires = definition?.resultExpires ?? resultExpires;
    const lastFailure = delivery.content.type === "undecodable" ? undefined : delivery.content.message.lastFailure;
    return settlementOf(delivery, withLastFailure(outcome, lastFailure), {
      worker,
      expires,
      storesResult,
      startedAt,
      endedAt: clock.now(),
      children,
    });
  }

  /** An error of what is around a task, such as a middleware, settles it all the same: its slot and its lease are not to be lost. */
  #fail(delivery: Delivery, startedAt: number, error: unknown): Settlement {
    const { id, queue, content } = delivery;
    const failure = toFailure(error);
    this.#options.log.error({ ...taskOf(delivery), id, queue, ...redactFailure(failure) }, "not settled as it ended");
    const definition = content.type === "undecodable" ? undefined : this.#definitionOf(content.message.task);
    const storesResult = content.type === "undecodable" || stores(delivery, content.message, definition);
    return this.#settle(delivery, { type: "failed", failure }, startedAt, definition, storesResult);
  }

  /** A message that cannot be run, or not again, fails for good and is kept for inspection. */
  #deadLetter(delivery: Delivery, startedAt: number, error: BullrushError, storesResult = true, reason?: string): Settlement {
    const { stack: _, ...failure } = toFailure(error);
    const { id, queue } = delivery;
    const task = taskOf(delivery);
    this.#options.log.error(
      { ...task, id, queue, code: error.code, ...redactFailure(failure), reason },
      reason === undefined ? "not run" : "failed",
    );
    return this.#settle(delivery, { type: "failed", failure, deadLetter: true }, startedAt, undefined, storesResult);
  }

  #unknown(running: Running, message: Message, startedAt: number, known: readonly string[] = [...this.#options.tasks.keys()]): Settlement {
    const { delivery } = running;
    const { task, expires } = message;
    if (delivery.content.type === "foreign") return { delivery, outcome: this.#grace.leave(delivery, task) };
    if (expires !== undefined && startedAt >= expires) return this.revoke(running, "expired");
    const error = new BullrushError("TASK_NOT_REGISTERED", { task, known });
    const outcome = this.#grace.outcomeOf(delivery, task, error, expires);
    return outcome === undefined
      ? this.#deadLetter(delivery, startedAt, error, stores(delivery, message, this.#definitionOf(task)))
      : { delivery, outcome };
  }

  #unreadable(delivery: Delivery, { error, newerTask }: Extract<Content, { type: "undecodable" }>, startedAt: number): Settlement {
    const outcome = newerTask === undefined ? undefined : this.#grace.outcomeOf(delivery, newerTask, error);
    return outcome === undefined ? this.#deadLetter(delivery, startedAt, error) : { delivery, outcome };
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

  /** Without the broker it does not begin: what it may come to could not be counted. */
  async #begin(delivery: Delivery): Promise<boolean> {
    try {
      return await this.#options.begin(delivery);
    } catch {
      this.#options.rest(delivery.queue, unclaimed);
      return false;
    }
  }

  /**
   * Why a message with an id of its caller's, which stores no result, was revoked before it was sent. Without the result backend it runs.
   */
  async #revokedBefore({ id }: Message): Promise<string | undefined> {
    const [record] = await this.#options.results.read([id]).catch(() => []);
    return record?.state === "REVOKED" ? (record.reason ?? "") : undefined;
  }

  /** A message that was taken before, or may have been sent before, is run only if it has no result yet. */
  async #claim(delivery: Delivery, message: Message, definition: TaskDefinition): Promise<"claimed" | Settlement | undefined> {
    const { results, worker, resultExpires, clock, log, rest } = this.#options;
    const expires = definition.resultExpires ?? resultExpires;
    try {
      const [answer] = await results.claim([{ id: message.id, delivery: delivery.number, expires, worker, failure: message.lastFailure }]);
      if (answer === "claimed" || answer === undefined) return "claimed";
      const facts = { task: message.task, id: message.id, delivery: delivery.number };
      if (answer !== "fenced") {
        log.info({ ...facts, state: answer.state }, "not run: its stored result stands");
        return settledBefore(delivery, outcomeOfRecord(answer) ?? { type: "succeeded" }, {
          worker,
          expires,
          endedAt: clock.now(),
        });
      }
      // A later delivery has it; or it was purged and sent anew, and its deliveries are counted from 1 again.
      log.info(facts, "not run: a later delivery has claimed it");
      return { delivery, outcome: { type: "requeued", reason: "a later delivery has claimed it", eta: clock.now() + unclaimed } };
    } catch (error) {
      // Its own record may be at fault, and is not to hold up others.
      if (!isRefused(error)) rest(delivery.queue, unclaimed);
      return this.putBack(delivery, error instanceof Error ? error.message : "not claimed", unclaimed);
    }
  }

  /** A task without a record is not to read as one that runs. Never rejects: it is done all the same, and its claim expires. */
  async #unclaim({ id, number }: Delivery, { task }: Message): Promise<void> {
    try {
      await this.#options.results.unclaim(id, number);
    } catch (error) {
      this.#options.log.warn({ task, id, ...redactFailure(toFailure(error)) }, "ignored, but reads as STARTED until its claim expires");
    }
  }
}

/** Whether the result backend hears of this delivery. A call whose sender may wait says itself what it wants; the declaration counts for the others. */
function stores({ content }: Delivery, { ignoreResult, replyTo, places }: Message, definition?: TaskDefinition): boolean {
  // A job of a plain BullMQ producer has an id that is no task's, and keeps its own return value.
  if (content.type === "foreign") return false;
  // Whoever takes it again goes on with what it came to.
  if (places !== undefined) return true;
  if (ignoreResult !== undefined) return !ignoreResult;
  return replyTo !== undefined || definition?.options.ignoreResult !== true;
}

function withoutFlows({ places: _, standsFor: __, ...message }: Message): Message {
  return message;
}

function taskOf({ content }: Delivery): { readonly task?: string } {
  return content.type === "message" ? { task: content.message.task } : {};
}
