import { encodeRecord, isTaskId, type Delivery, type Outcome, type Settlement, type StoreRequest } from "@bullrush/broker";

/** What a settlement says besides the outcome. Times are ms since the epoch. */
export interface Facts {
  readonly worker: string;
  /** How long the result is kept, in ms. */
  readonly expires: number;
  /** Whether the result backend hears of it. */
  readonly storesResult: boolean;
  readonly startedAt: number;
  readonly endedAt: number;
}

/** What became of `delivery`, with what the result backend is to keep of it. */
export function settlementOf(delivery: Delivery, outcome: Outcome, facts: Facts): Settlement {
  if (!facts.storesResult || outcome.type === "requeued" || outcome.type === "crashed" || !isTaskId(delivery.id)) {
    return { delivery, outcome };
  }
  return { delivery, outcome, store: storeOf(delivery, outcome, facts) };
}

type Ended = Exclude<Outcome, { type: "requeued" | "crashed" }>;

const states = { succeeded: "SUCCESS", failed: "FAILURE", revoked: "REVOKED", retried: "RETRY", replaced: "STARTED" } as const;

function storeOf({ content, id, number, queue }: Delivery, outcome: Ended, facts: Facts): StoreRequest {
  const message = content.type === "message" ? content.message : undefined;
  const record = encodeRecord({
    state: states[outcome.type],
    delivery: number,
    resultText: outcome.type === "succeeded" ? outcome.result : undefined,
    failure: outcome.type === "failed" || outcome.type === "retried" ? outcome.failure : undefined,
    reason: outcome.type === "revoked" ? outcome.reason : undefined,
    task: message?.task,
    queue,
    worker: facts.worker,
    attempt: message === undefined ? undefined : message.retries + 1,
    startedAt: facts.startedAt,
    endedAt: facts.endedAt,
    eta: outcome.type === "retried" ? outcome.eta : undefined,
  });
  // Nobody waits for a retry; and what is known of the task is not to expire before its next attempt.
  if (outcome.type === "retried")
    return { id, delivery: number, expires: facts.expires + Math.max(0, outcome.eta - facts.endedAt), record };
  return { id, delivery: number, expires: facts.expires, replyTo: message?.replyTo, record };
}
