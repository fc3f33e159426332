import { encodeRecord, isTaskId, type Delivery, type Message, type Outcome, type Settlement, type StoreRequest } from "@bullrush/broker";

/** What a settlement says besides the outcome. Times are ms since the epoch. */
export interface Facts {
  readonly worker: string;
  /** How long the result is kept, in ms. */
  readonly expires: number;
  readonly ignoreResult: boolean;
  readonly startedAt: number;
  readonly endedAt: number;
}

/** What became of `delivery`, with what the result backend is to keep of it. */
export function settlementOf(delivery: Delivery, outcome: Outcome, facts: Facts): Settlement {
  const store = storeOf(delivery, outcome, facts);
  return store === undefined ? { delivery, outcome } : { delivery, outcome, store };
}

function storeOf(delivery: Delivery, outcome: Outcome, facts: Facts): StoreRequest | undefined {
  const { content, id, number } = delivery;
  // A job of a plain BullMQ producer has an id that is no task's, and keeps its own return value.
  if (content.type === "foreign" || facts.ignoreResult || outcome.type === "requeued" || !isTaskId(id)) return undefined;
  const message = content.type === "message" ? content.message : undefined;
  const record = encodeRecord({
    ...stateOf(outcome),
    delivery: number,
    ...(message !== undefined && { task: message.task, attempt: message.retries + 1 }),
    queue: delivery.queue,
    worker: facts.worker,
    startedAt: facts.startedAt,
    endedAt: facts.endedAt,
  });
  return { id, delivery: number, expires: facts.expires, record, ...replyOf(message) };
}

function stateOf(outcome: Exclude<Outcome, { type: "requeued" }>) {
  switch (outcome.type) {
    case "succeeded":
      return { state: "SUCCESS", ...(outcome.result !== undefined && { resultText: outcome.result }) };
    case "failed":
      return { state: "FAILURE", failure: outcome.failure };
    case "revoked":
      return { state: "REVOKED", reason: outcome.reason };
  }
}

function replyOf(message: Message | undefined): { readonly replyTo?: string } {
  return message?.replyTo === undefined ? {} : { replyTo: message.replyTo };
}
