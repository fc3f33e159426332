import { isFollowed } from "../bullmq/flows/continuations.js";
import { fence } from "../bullmq/flows/cascade.js";
import { endingOf } from "../bullmq/flows/endings.js";
import type { Retention } from "../ports/retention.js";
import type { StoreReply, StoreRequest } from "../ports/results.js";
import type { Settled, Settlement } from "../ports/settlement.js";
import { describeFailure } from "../protocol/failure.js";
import { outcomeOfRecord, type Outcome } from "../protocol/outcome.js";
import { encodeRecord } from "../protocol/record.js";
import { flowEndingOf } from "./flows/flow-ending.js";
import { FlowStep, type FlowParts } from "./flows/flow-step.js";
import { callOff } from "./flows/flows.js";
import { isOnLoan, noteEnd, type HeldMessage } from "./held-message.js";
import type { MessageQueue } from "./message-queue.js";

export interface SettlementsOptions {
  readonly parts: FlowParts;
  readonly retentionOf: (queue: string) => Retention;
  /** Name of the worker. */
  readonly worker: string;
  /** Hears how many dead letters of a queue were dropped. */
  readonly onDropped: (queue: string, count: number) => void;
}

/** How long it is known that what ran in the place of a task was called off, in ms: a day. */
const replacementKept = 24 * 3600 * 1000;

/** Settles the deliveries of a consumer. */
export class Settlements {
  readonly #options: SettlementsOptions;

  constructor(options: SettlementsOptions) {
    this.#options = options;
  }

  /** Stores the results of all, then settles each. Returns what became of each, in their order. */
  settle(settlements: readonly Settlement[]): readonly Settled[] {
    const { results, queues } = this.#options.parts;
    const replies = new Map<StoreRequest, StoreReply>();
    for (const settlement of settlements) for (const request of requestsOf(settlement)) replies.set(request, results.store(request));
    const settled = settlements.map((settlement) => this.#settleOne(settlement, settlement.store && replies.get(settlement.store)));
    if (settled.length > 0) queues.wake();
    return settled;
  }

  #settleOne(settlement: Settlement, stored: StoreReply | undefined): Settled {
    const { queues, time } = this.#options.parts;
    const { delivery } = settlement;
    const queue = queues.find(delivery.queue);
    const message = queue?.find(delivery.id);
    if (queue === undefined || message === undefined) return "lost";
    if (isOnLoan(message, delivery.token, time.now())) {
      const outcome = stored === "superseded" && isFollowed(settlement) ? this.#standing(settlement) : settlement.outcome;
      this.#continue(settlement, outcome);
      this.#end(queue, message, settlement, outcome);
      return "settled";
    }
    return this.#isLateSuccess(settlement, message) ? this.#settleLate(queue, message, settlement) : "lost";
  }

  /**
   * The outcome that was stored first. What runs in the place of a task that has ended otherwise is
   * called off.
   */
  #standing({ delivery, outcome }: Settlement): Outcome {
    const record = this.#options.parts.results.read(delivery.id);
    if (outcome.type === "replaced" && record !== undefined) this.#callOff(outcome.flow.id, record.reason ?? "its task has ended");
    return (record && outcomeOfRecord(record)) ?? outcome;
  }

  #callOff(flow: string, reason: string): void {
    const { queues, results, time } = this.#options.parts;
    const open = callOff(this.#options.parts, flow, "all");
    if (open === undefined) return;
    const record = encodeRecord({ state: "REVOKED", delivery: 0, reason, endedAt: time.now() });
    for (const id of open.ids) {
      for (const queue of queues.named(open.queues)) {
        const message = queue.find(id);
        if (message !== undefined && message.place !== "ended") queues.revoke(queue.name, message, reason, true);
      }
      results.store({ id, delivery: fence, expires: replacementKept, record });
    }
  }

  /** Does what follows in flows. */
  #continue(settlement: Settlement, outcome: Outcome): void {
    const { content } = settlement.delivery;
    if (content.type !== "message" || content.message.positions === undefined) return;
    const { positions } = content.message;
    const ending = endingOf(content.message, outcome);
    if (ending === undefined) return;
    const flowEnding = flowEndingOf(ending);
    if (flowEnding === undefined) {
      for (const { flow, call } of positions) {
        const replaced = this.#options.parts.flows.find(flow)?.calls[call];
        if (replaced?.state === "sent") replaced.state = "replaced";
      }
      return;
    }
    const step = new FlowStep(this.#options.parts);
    step.leave(positions, flowEnding);
    step.run();
  }

  /** Whether the work is done, though the lease had run out: nobody need do it again. */
  #isLateSuccess({ delivery, outcome, store }: Settlement, message: HeldMessage): boolean {
    if (outcome.type !== "succeeded" || delivery.content.type !== "message") return false;
    if (message.place === "ended" || message.deliveries < delivery.number) return false;
    if (store === undefined) return true;
    const record = this.#options.parts.results.read(delivery.id);
    return record?.state === "SUCCESS" && record.delivery === delivery.number;
  }

  /**
   * One that waits again, and has no result that says so, is marked: whoever takes it does not run
   * it.
   */
  #settleLate(queue: MessageQueue, message: HeldMessage, settlement: Settlement): Settled {
    if (message.place === "taken") {
      this.#continue(settlement, settlement.outcome);
      this.#end(queue, message, settlement, settlement.outcome);
    } else if (settlement.store === undefined) {
      message.verdict = { type: "succeeded" };
    }
    return "settled";
  }

  #end(queue: MessageQueue, message: HeldMessage, { delivery }: Settlement, outcome: Outcome): void {
    const now = this.#options.parts.time.now();
    const retention = this.#options.retentionOf(queue.name);
    switch (outcome.type) {
      case "succeeded":
      case "replaced":
        return queue.end(message, "completed", { retention, now });
      case "failed": {
        const reason = describeFailure(outcome.failure);
        if (outcome.deadLetter) this.#keepDeadLetter(queue, message, reason, retention);
        return queue.end(message, "failed", { retention, reason, now });
      }
      case "revoked":
        return queue.end(message, "failed", { retention, reason: outcome.reason, now });
      case "retried":
        noteEnd(message, delivery.number);
        message.endings++;
        message.text = outcome.text;
        return outcome.eta > now ? queue.delay(message, outcome.eta) : queue.append(message);
      case "crashed":
        return queue.putBack(message);
      case "requeued":
        noteEnd(message, delivery.number);
        if (outcome.unknownSince !== undefined) message.unknownSince = outcome.unknownSince;
        return outcome.eta === undefined ? queue.putBack(message) : queue.delay(message, Math.max(outcome.eta, now));
    }
  }

  #keepDeadLetter(
    queue: MessageQueue,
    { id, task, text }: HeldMessage,
    reason: string,
    { deadLetter: bound, keepArguments }: Retention,
  ): void {
    const { parts, worker, onDropped } = this.#options;
    const at = parts.time.now();
    const letter = { id, task, at, reason, worker, text: keepArguments ? text : "" };
    onDropped(queue.name, queue.deadLetters.add(id, letter, { at, texts: letter.text.length + reason.length, bound }).length);
  }
}

/** What a settlement stores, its own result first. */
function requestsOf({ store, copies = [] }: Settlement): readonly StoreRequest[] {
  return store === undefined ? copies : [store, ...copies];
}
