import { newId } from "../id.js";
import type { Delivery } from "../ports/delivery.js";
import type { StoreRequest } from "../ports/results.js";
import type { Settlement } from "../ports/settlement.js";
import type { Message, RoutedMessage } from "../protocol/message.js";
import type { Outcome } from "../protocol/outcome.js";
import { encodeRecord, type UnsentRecord } from "../protocol/record.js";

/** A call of `tasks.add`, with an id of its own. */
export function messageOf(fields: Partial<Message> = {}): Message {
  const id = fields.id ?? newId();
  return { id, task: "tasks.add", args: [1, 2], headers: {}, priority: 0, retries: 0, rootId: id, ...fields };
}

/** A call of `tasks.add` for `queue`. */
export function routed(fields: Partial<Message> = {}, queue = "feeds"): RoutedMessage {
  return { queue, message: messageOf(fields) };
}

/** `count` calls for `queue`, numbered from 0 by their one argument. */
export function numbered(count: number, queue = "feeds"): readonly RoutedMessage[] {
  return Array.from({ length: count }, (_, number) => routed({ args: [number] }, queue));
}

export const outcomes = {
  succeeded: { type: "succeeded", result: "3" },
  failed: { type: "failed", failure: { name: "TypeError", message: "no number", stack: "TypeError: no number\n    at add" } },
  dead: { type: "failed", failure: { name: "UnknownTask", message: "nobody knows it" }, deadLetter: true },
  revoked: { type: "revoked", reason: "expired" },
  requeued: { type: "requeued", reason: "the worker shuts down" },
} as const satisfies Record<string, Outcome>;

export function settlementOf(delivery: Delivery, outcome: Outcome = outcomes.succeeded): Settlement {
  return { delivery, outcome };
}

/** The success of a delivery with its result, which is its number. */
export function successOf(delivery: Delivery): Settlement {
  return { ...settlementOf(delivery), store: storeOf(delivery.id, { delivery: delivery.number, resultText: String(delivery.number) }) };
}

/** What to keep of task `id`: by default its success in its first delivery, for a minute. */
export function storeOf(id: string, fields: Partial<UnsentRecord> = {}, request: Partial<StoreRequest> = {}): StoreRequest {
  const record: UnsentRecord = { state: "SUCCESS", delivery: 1, ...fields };
  return { id, delivery: record.delivery, expires: 60_000, record: encodeRecord(record), ...request };
}
