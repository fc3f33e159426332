import { newId } from "../../src/id.js";
import type { Message, RoutedMessage } from "../../src/protocol/message.js";
import type { Outcome } from "../../src/protocol/outcome.js";
import { encodeRecord, type UnsentRecord } from "../../src/protocol/record.js";
import type { Delivery } from "../../src/ports/delivery.js";
import type { Settlement } from "../../src/ports/settlement.js";
import type { StoreRequest } from "../../src/ports/results.js";

/** A call of `tasks.add`, with an id of its own. */
export function messageOf(fields: Partial<Message> = {}): Message {
  const id = fields.id ?? newId();
  return { id, task: "tasks.add", args: [1, 2], headers: {}, priority: 0, retries: 0, rootId: id, ...fields };
}

/** `count` calls for `queue`, numbered from 0 by their one argument. */
export function numbered(queue: string, count: number): readonly RoutedMessage[] {
  return Array.from({ length: count }, (_, number) => ({ queue, message: messageOf({ args: [number] }) }));
}

/** The message of a delivery. Throws for content that is none. */
export function contentOf({ content }: Delivery): Message {
  if (content.type === "undecodable") throw content.error;
  return content.message;
}

/** The first argument of each delivery's call. */
export function argumentsOf(deliveries: readonly Delivery[]): readonly unknown[] {
  return deliveries.map((delivery) => contentOf(delivery).args[0]);
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

/** What to keep of task `id`: by default its success in its first delivery, for a minute. */
export function storeOf(id: string, fields: Partial<UnsentRecord> = {}, request: Partial<StoreRequest> = {}): StoreRequest {
  const record: UnsentRecord = { state: "SUCCESS", delivery: 1, ...fields };
  return { id, delivery: record.delivery, expires: 60_000, record: encodeRecord(record), ...request };
}
