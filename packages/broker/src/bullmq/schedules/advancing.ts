import { BullrushError } from "../../errors/error.js";
import type { Advance, Advanced, Tick } from "../../ports/schedules.js";
import { encodeMessage } from "../../protocol/envelope.js";
import type { RoutedMessage } from "../../protocol/message.js";
import { isRightMissing, refusalIn } from "../../redis/refusal.js";
import type { Argument } from "../../redis/script.js";
import type { Load } from "./batches.js";

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

/** What an error of one advance is made of. */
export interface AdvanceContext {
  /** The error if the user of the Redis lacks a right. */
  readonly denied: BullrushError | undefined;
  readonly url: string;
  /** Longest time that the call might take, in ms. */
  readonly deadline: number;
}

/** What became of the entry `name`, as the script says it. */
export function readAdvanced(name: string, reply: AdvanceReply, { denied, url, deadline }: AdvanceContext): Advanced {
  if (reply[0] === "done") return { sent: reply[1], overlapped: reply[2], duplicates: reply[3] };
  if (reply[0] === "changed") return "changed";
  const refusal = refusalIn(reply[1]);
  if (denied !== undefined && isRightMissing(refusal)) return denied;
  const { code, reason } = refusal;
  return new BullrushError("BROKER_UNAVAILABLE", { url, action: `entry "${name}" did not tick`, deadline, reason, refusal: code });
}
