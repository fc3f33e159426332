import { BullrushError, type Flow, type FlowAddition, type Message, type Flows, type Queues } from "@bullrush/broker";
import { partsOf } from "../canvas/parts.js";
import type { Layers } from "../middleware/layers.js";
import { additionOf } from "../canvas/addition.js";
import { compile, compileReplacement } from "../canvas/compile.js";
import { handleOf } from "../canvas/handles.js";
import { contentOf } from "../canvas/content.js";
import type { AnyHandle, CanvasNode, Send } from "../canvas/node.js";
import { AsyncResult } from "../result/async-result.js";
import { leavesOf, type Group, type SingleResult } from "../result/single-result.js";
import type { Call } from "../publishing/call.js";
import { sendingTask } from "../running/running-task.js";
import { checkCall } from "../publishing/check-call.js";
import { hasLinks, linkedNode } from "../canvas/signature.js";
import type { Connected } from "./connected.js";
import { publishCalls, sendingOf, type Sending } from "../publishing/build-message.js";
import type { CompiledOptions } from "./options.js";
import { PendingRecords } from "./pending.js";
import { PublishError } from "./publish-error.js";

type Added = Awaited<ReturnType<Flows["addMember"]>>;

/** Sends the calls and the canvases of an app. */
export class Sender {
  readonly #connect: () => Connected;
  readonly #options: () => CompiledOptions;
  readonly #layers: Layers;
  readonly #pending = new PendingRecords();
  /** How many calls and canvases are being sent: begun, and neither confirmed nor refused. */
  #underWay = 0;
  #onSettled: (() => void) | undefined;
  /**
   * Sends a canvas, and returns the handle on its result. The function also identifies the app:
   * canvases of different apps have different ones.
   */
  readonly begin: Send = (node) => this.#tracked(() => this.#begin(node));

  constructor(connect: () => Connected, options: () => CompiledOptions, layers: Layers) {
    this.#connect = connect;
    this.#options = options;
    this.#layers = layers;
  }

  /** Sends a call, and its links if it has any. */
  async send<Result>(call: Call): Promise<AsyncResult<Result>> {
    const { engine, waiter, whenSent } = this.#connect();
    checkCall(call.task, call.args, call.options);
    if (call.options.link !== undefined || call.options.linkError !== undefined) {
      return (await this.begin(linkedNode(call, this.begin))) as AsyncResult<Result>;
    }
    const sending = this.#sendingOf(call);
    // Read before sending: the result may arrive before the broker's confirmation.
    const { missed } = waiter;
    this.#underWay++;
    try {
      // Most calls are one message.
      const isPlain = sending.length === 1 && !this.#layers.seeSending;
      const [error] = await (isPlain ? engine.queues.publish(sending) : this.#publish(engine.queues, [sending]));
      if (error !== undefined) throw error;
    } finally {
      this.#ended();
    }
    const handle = sent(this.#handle<Result>(sending, missed));
    if (whenSent !== undefined) await whenSent(idsOf([sending]));
    return handle;
  }

  /**
   * Sends calls without links, and returns their handles. Rejects with a `PublishError` if some are
   * not confirmed.
   */
  sendAll(calls: readonly Call[]): Promise<readonly AsyncResult[]> {
    return this.#tracked(() => this.#sendAll(calls));
  }

  async #sendAll(calls: readonly Call[]): Promise<readonly AsyncResult[]> {
    const { engine, waiter, whenSent } = this.#connect();
    const sendings = calls.map((call) => {
      checkCall(call.task, call.args, call.options);
      return this.#sendingOf(call);
    });
    const { missed } = waiter;
    const errors = await this.#publish(engine.queues, sendings);
    const results = sendings.map((sending) => this.#handle(sending, missed));
    for (const [index, result] of results.entries()) if (errors[index] === undefined) sent(result);
    await whenSent?.(idsOf(sendings.filter((_, index) => errors[index] === undefined)));
    throwIfMissing(errors, results);
    return results;
  }

  async #begin(node: CanvasNode): Promise<AnyHandle> {
    const { engine, waiter, clock, whenSent } = this.#connect();
    if (node.type === "call" && !hasLinks(node)) return this.send(node);
    const compiled = compile(node, { options: this.#options(), replyTo: engine.results.replyChannel, clock });
    const held = { source: this.#connect, missed: waiter.missed };
    if ("flow" in compiled) {
      await this.surroundFlow(compiled.flow, async (flow) => {
        await engine.flows.begin(flow);
        return true;
      });
      // From here on it runs, whatever becomes of these.
      await this.#pending.keep(compiled.plan, engine.results);
      const handle = sent(handleOf(compiled.plan.result, held, compiled.flow.id));
      await whenSent?.([compiled.flow.id]);
      return handle;
    }
    const errors = await this.#publish(engine.queues, compiled.sendings);
    throwIfMissing(
      errors,
      compiled.sendings.map((sending) => this.#handle(sending, held.missed)),
    );
    const handle = sent(handleOf(compiled.plan.result, held));
    await whenSent?.(idsOf(compiled.sendings));
    return handle;
  }

  /** Compiles the flow that replaces a task of `queue`. */
  replacement(canvas: unknown, replaced: Message, queue: string): Flow {
    const { node } = contentOf(canvas, "what was given to this.replace()");
    return compileReplacement(node, replaced, queue, { options: this.#options(), clock: this.#connect().clock });
  }

  /** Adds a call to the group of which the task of `member` is a member. */
  addMember(signature: unknown, member: Message, ordinal: number): Promise<AsyncResult> {
    return this.#tracked(async () => {
      const { engine, waiter, clock } = this.#connect();
      const addition = additionOf(
        signature,
        { member, ordinal },
        { options: this.#options(), replyTo: engine.results.replyChannel, clock },
      );
      const { missed } = waiter;
      const { queue, message } = addition;
      const added = await this.#addMember(engine.flows, addition);
      if (added === "ended") throw new BullrushError("CHORD_MEMBER_ENDED", { task: member.task });
      const { id, task, ignoreResult = false } = message;
      // An earlier run in another process may have added it; the result is then announced there.
      const own = added === "added";
      return sent(new AsyncResult(this.#connect, { id, task, queues: [queue], own, missed, ignoreResult }));
    });
  }

  /** Passes a flow through the middleware to `send`, which resolves with whether it was sent, as this does. Rejects as `send` does, or with what a middleware throws. */
  async surroundFlow(flow: Flow, send: (flow: Flow) => Promise<boolean>): Promise<boolean> {
    if (!this.#layers.seeSending) return send(flow);
    let isSent = false;
    await this.#layers.surround(partsOf(flow.calls), this.#options().maxPayload, async (parts) => {
      isSent = await send({ ...flow, calls: parts.flat() });
      return parts.map(() => (isSent ? undefined : "skipped"));
    });
    return isSent;
  }

  /** Resolves when all that was begun so far is confirmed or refused, or after `patience` ms. */
  async settled(timeout: number): Promise<void> {
    if (this.#underWay === 0) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeout);
      const others = this.#onSettled;
      this.#onSettled = () => {
        clearTimeout(timer);
        others?.();
        resolve();
      };
    });
  }

  async #tracked<T>(send: () => Promise<T>): Promise<T> {
    this.#underWay++;
    try {
      return await send();
    } finally {
      this.#ended();
    }
  }

  #ended(): void {
    if (--this.#underWay === 0) this.#onSettled?.();
  }

  /** Ends the background work for flows that were sent. */
  close(): void {
    this.#pending.close();
  }

  async #publish(queues: Queues, sendings: readonly Sending[]): Promise<readonly (BullrushError | undefined)[]> {
    if (!this.#layers.seeSending) return publishCalls(queues, sendings);
    let errors: readonly (BullrushError | undefined)[] = [];
    await this.#layers.surround(sendings, this.#options().maxPayload, async (changed) => (errors = await publishCalls(queues, changed)));
    return errors;
  }

  async #addMember(flows: Flows, addition: FlowAddition): Promise<Added> {
    if (!this.#layers.seeSending) return flows.addMember(addition);
    let added: Added = "ended";
    await this.#layers.surround([[addition]], this.#options().maxPayload, async ([[changed] = [addition]]) => {
      added = await flows.addMember(changed);
      return [added === "ended" ? "skipped" : undefined];
    });
    return added;
  }

  #sendingOf(call: Call): Sending {
    const { engine, clock } = this.#connect();
    return sendingOf(call, this.#options(), { replyTo: engine.results.replyChannel, clock });
  }

  #handle<Result>([{ queue, message }]: Sending, missed: number | undefined): AsyncResult<Result> {
    const { id, task, ignoreResult = false } = message;
    return new AsyncResult<Result>(this.#connect, { id, task, queues: [queue], own: true, missed, ignoreResult });
  }
}

/** Ids of all messages, copies included. */
function idsOf(sendings: readonly Sending[]): readonly string[] {
  return sendings.flatMap((sending) => sending.map(({ message }) => message.id));
}

/** `handle`, which the task that runs here, if any, has sent. */
function sent<H extends AnyHandle>(handle: H): H {
  const task = sendingTask();
  if (task?.onSent !== undefined) for (const { id } of leavesOf([handle as unknown as SingleResult | Group])) task.onSent(id);
  return handle;
}

/** Throws a `PublishError` if calls were not confirmed. */
function throwIfMissing(errors: readonly (BullrushError | undefined)[], results: readonly AsyncResult[]): void {
  if (errors.some((error) => error !== undefined)) throw new PublishError(results.map((result, index) => errors[index] ?? result));
}
