import {
  encodeRecord,
  isTaskId,
  type Delivery,
  type TaskRef,
  type Outcome,
  type Settlement,
  type StoreRequest,
  type UnsentRecord,
} from "@bullrush/broker";

/** What a settlement says besides the outcome. Times are ms since the epoch. */
export interface Facts {
  readonly worker: string;
  /** How long the result is kept, in ms. */
  readonly expires: number;
  /** What the result backend is to hear of it: `copies` are for the tasks that it replaces. */
  readonly toStore: "all" | "copies" | "nothing";
  readonly startedAt: number;
  readonly endedAt: number;
  /** Ids of the tasks that it has sent. */
  readonly children?: readonly string[] | undefined;
}

type Ended = Exclude<Outcome, { type: "requeued" | "crashed" }>;

/** What became of `delivery`, with what the result backend is to keep of it. */
export function settlementOf(delivery: Delivery, outcome: Outcome, facts: Facts): Settlement {
  if (facts.toStore === "nothing" || outcome.type === "requeued" || outcome.type === "crashed" || !isTaskId(delivery.id)) {
    return { delivery, outcome };
  }
  const own = facts.toStore === "all" && { store: storeOf(delivery, outcome, facts) };
  const replaces = delivery.content.type === "message" ? delivery.content.message.replaces : undefined;
  if (replaces === undefined || outcome.type === "retried" || outcome.type === "replaced") return { delivery, outcome, ...own };
  return { delivery, outcome, ...own, copies: copiesFor(replaces, delivery, outcome, facts) };
}

/** How the tasks end that this one stands for: as themselves, and if it has failed, because it has. */
function copiesFor(replaces: readonly TaskRef[], delivery: Delivery, outcome: Ended, facts: Facts): readonly StoreRequest[] {
  const { id, content } = delivery;
  const origin = outcome.type === "succeeded" || content.type !== "message" ? undefined : { id, task: content.message.task };
  return replaces.map((one) => ({ ...storeOf(delivery, outcome, facts, { task: one.task, origin }), id: one.id, delivery: anyDelivery }));
}

/** Wins over the claim of any delivery of the task that was replaced. */
const anyDelivery = Number.MAX_SAFE_INTEGER;

/** How long it is known at least which tasks run in the place of another, in ms. */
const replacedFor = 30 * 24 * 3600 * 1000;

const states = { succeeded: "SUCCESS", failed: "FAILURE", revoked: "REVOKED", retried: "RETRY", replaced: "STARTED" } as const;

/** @param other what is otherwise for a task that this one stands for */
function storeOf({ content, id, number, queue }: Delivery, outcome: Ended, facts: Facts, other: Partial<UnsentRecord> = {}): StoreRequest {
  const message = content.type === "message" ? content.message : undefined;
  const record = encodeRecord({
    state: states[outcome.type],
    delivery: number,
    resultText: outcome.type === "succeeded" ? outcome.result : undefined,
    failure: "failure" in outcome ? outcome.failure : undefined,
    reason: outcome.type === "revoked" ? outcome.reason : undefined,
    task: message?.task,
    queue,
    worker: facts.worker,
    attempt: message === undefined ? undefined : message.retries + 1,
    startedAt: facts.startedAt,
    endedAt: facts.endedAt,
    eta: outcome.type === "retried" ? outcome.eta : undefined,
    flow: outcome.type === "replaced" ? outcome.flow.id : undefined,
    children: facts.children,
    ...other,
  });
  if (outcome.type === "replaced") return { id, delivery: number, expires: Math.max(facts.expires, replacedFor), record };
  // Nobody waits for a retry; and what is known of the task is not to expire before its next attempt.
  if (outcome.type === "retried")
    return { id, delivery: number, expires: facts.expires + Math.max(0, outcome.eta - facts.endedAt), record };
  return { id, delivery: number, expires: facts.expires, replyTo: message?.replyTo, record };
}
