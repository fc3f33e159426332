import {
  BullrushError,
  toFailure,
  type Clock,
  type Content,
  type Delivery,
  type Message,
  type Outcome,
  type Settlement,
} from "@bullrush/broker";
import { redact, redactFailure } from "@bullrush/program";
import type { Logger } from "pino";
import { deadLetter } from "./dead-letter.js";
import { withLastFailure } from "./last-failure.js";
import { received, type DefinitionOf, type Received } from "./received.js";
import type { Running } from "./running.js";
import { settlementOf } from "./settlement.js";

export interface SettlerOptions {
  readonly definitionOf: DefinitionOf;
  /** Name of the worker. */
  readonly worker: string;
  /** How long results are kept unless their task says otherwise, in ms. */
  readonly resultExpires: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Makes what settles a delivery, however it ended. An end that is not the end of a run is logged here. */
export class Settler {
  readonly #options: SettlerOptions;

  constructor(options: SettlerOptions) {
    this.#options = options;
  }

  /** After its run, which is logged by its layers. */
  settle({ delivery, message, definition, startedAt, toStore }: Received, outcome: Outcome, children?: readonly string[]): Settlement {
    const { worker, clock, resultExpires } = this.#options;
    const expires = definition?.resultExpires ?? resultExpires;
    const endedAt = clock.now();
    const facts = { worker, expires, toStore, startedAt, endedAt, children };
    return settlementOf(delivery, withLastFailure(outcome, message?.lastFailure), facts);
  }

  /** Instead of a run: a check ended it. */
  settleUnrun(one: Received, outcome: Outcome): Settlement {
    this.#logUnrun(one, outcome);
    return this.settle(one, outcome);
  }

  /** An error of what is around a task settles it all the same: its slot and its lease are not to be lost. */
  fail({ delivery, startedAt }: Running, error: unknown): Settlement {
    const failure = toFailure(error);
    this.#options.log.error({ ...namesOf(delivery), ...redactFailure(failure) }, "not settled as it ended");
    return this.settle(this.#receive(delivery, startedAt), { type: "failed", failure });
  }

  /** A delivery that brought its process down: that counts as a crash. */
  crash({ delivery, startedAt }: Running, reason: string): Settlement {
    this.#options.log.error({ ...namesOf(delivery), ms: this.#since(startedAt), reason: redact(reason) }, "crashed");
    return { delivery, outcome: { type: "crashed", reason } };
  }

  /** A delivery whose end is not waited for: it goes back into its queue, unless it must not run twice. */
  abandon({ delivery, startedOnce, startedAt }: Running, reason: string): Settlement {
    const { content } = delivery;
    if (content.type === "undecodable" || !startedOnce) return this.putBack(delivery, reason);
    const error = new BullrushError("WORKER_LOST", { task: content.message.task });
    return this.#failForGood(this.#receive(delivery, startedAt), error, reason);
  }

  /** Puts a delivery back into its queue, run or not, to be taken again after `pause` ms. */
  putBack(delivery: Delivery, reason: string, pause = 0): Settlement {
    return { delivery, outcome: this.requeue(delivery, reason, pause) };
  }

  /** The outcome of a delivery that is put back. */
  requeue(delivery: Delivery, reason: string, pause = 0): Outcome {
    const { clock, log } = this.#options;
    log.warn({ ...namesOf(delivery), reason: redact(reason) }, "requeued");
    return { type: "requeued", reason, ...(pause > 0 && { eta: clock.now() + pause }) };
  }

  /**
   * A delivery whose settlement was refused again and again, for good: it has failed, and is kept for inspection, without what would follow upon it in flows. `undefined` if it was
   * to go back into its queue: then its lease runs out, and others take it.
   */
  giveUp({ delivery, outcome }: Settlement, reason: string): Settlement | undefined {
    if (outcome.type === "requeued" || outcome.type === "crashed") return undefined;
    const known = this.#receive(delivery);
    const { message, toStore } = known;
    const error = new BullrushError("SETTLEMENT_REFUSED", { task: message?.task ?? "unknown", reason });
    return this.#failForGood({ ...known, delivery: bareOf(delivery, message), toStore: message ? toStore : "nothing" }, error, reason);
  }

  /** A delivery that is revoked, whatever its task came to. */
  revoke({ delivery, startedAt }: Running, reason: string): Settlement {
    return this.settleUnrun(this.#receive(delivery, startedAt), { type: "revoked", reason });
  }

  #receive(delivery: Delivery, startedAt = this.#options.clock.now()): Received {
    return received(delivery, startedAt, this.#options.definitionOf);
  }

  #since(startedAt = this.#options.clock.now()): number {
    return this.#options.clock.now() - startedAt;
  }

  #failForGood(one: Received, error: BullrushError, reason: string): Settlement {
    const outcome = deadLetter(error);
    this.#options.log.error({ ...namesOf(one.delivery), code: error.code, ...failureOf(outcome), reason }, "failed");
    return this.settle(one, outcome);
  }

  /** What was put back, or has a result already, was logged by its check. */
  #logUnrun({ delivery, startedAt, toStore, message }: Received, outcome: Outcome): void {
    const { log } = this.#options;
    const { id } = delivery;
    const task = message?.task;
    if (outcome.type === "revoked") {
      log.warn({ task, id, ms: this.#since(startedAt), reason: redact(outcome.reason), ...errorOf(outcome) }, "revoked");
    } else if (outcome.type === "failed" && outcome.deadLetter === true) {
      log.error({ ...namesOf(delivery), code: outcome.failure.code, ...failureOf(outcome) }, "not run");
    } else if (outcome.type === "failed" && toStore !== "copies") log.error({ task, id, ...failureOf(outcome) }, "failed");
  }
}

/** Without its flows nothing follows upon it. */
function bareOf(delivery: Delivery, message: Message | undefined): Delivery {
  if (message === undefined) return { ...delivery };
  const { positions: _, replaces: __, ...bare } = message;
  return { ...delivery, content: { ...delivery.content, message: bare } as Content };
}

function failureOf(outcome: Outcome): object {
  return outcome.type === "failed" ? redactFailure(outcome.failure) : {};
}

/** Why the attempt before failed, without the stack. */
function errorOf({ failure }: Extract<Outcome, { type: "revoked" }>): object {
  return failure === undefined ? {} : { error: redactFailure(failure).error };
}

/** What lines call a delivery. */
function namesOf({ content, id, queue }: Delivery): object {
  return { ...(content.type === "message" && { task: content.message.task }), id, queue };
}
