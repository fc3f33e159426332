import { BullrushError } from "../../error.js";
import type { Advance, Tick } from "../../ports/schedules.js";
import { encodeMessage } from "../../protocol/codec.js";
import type { RoutedMessage } from "../../protocol/message.js";
import type { Argument } from "../../redis/script.js";
import type { Load } from "./lots.js";

/** An advance as `lua/bullmq/beat/advance.lua` reads it. */
export interface EncodedAdvance extends Load {
  readonly name: string;
  /** The queues of its messages. */
  readonly queues: readonly string[];
}

/** What `lua/bullmq/beat/advance.lua` says of one entry. */
export type AdvanceReply =
  | readonly ["done", sent: number, overlapped: number, duplicates: number]
  | readonly ["changed"]
  | readonly ["failed", why: string];

/** Encodes an advance; an error if one of its messages cannot be sent. */
export function encodeAdvance(
  { name, version, newVersion, due, next, ticks }: Advance,
  maxPayload: number,
): EncodedAdvance | BullrushError {
  try {
    const args = [
      name,
      version,
      newVersion ?? version,
      due ?? "",
      next ?? "",
      ticks.length,
      ...ticks.flatMap((tick) => tickArguments(tick, maxPayload)),
    ];
    const sent = ticks.flatMap(({ messages }) => messages);
    return { name, args, messages: sent.length, queues: sent.map(({ queue }) => queue) };
  } catch (error) {
    if (error instanceof BullrushError) return error;
    throw error;
  }
}

function tickArguments({ due, skipIfUnfinished, messages }: Tick, maxPayload: number): readonly Argument[] {
  const encoded = messages.flatMap(({ queue, message, text }: RoutedMessage) => {
    const { id, task, priority, eta = 0 } = message;
    return [queue, id, task, text ?? encodeMessage(message, maxPayload), priority, eta];
  });
  return [due, skipIfUnfinished ? "1" : "", messages.length, ...encoded];
}
