import { BullrushError } from "../../errors/error.js";
import { isTaskId } from "../../protocol/id.js";
import { channelIn, idOfCall, lifetimeIn, readOddIds, readQueues } from "./stored-flow.js";

/** A flow that has made no progress for a while. */
export interface StaleFlow {
  readonly id: string;
  readonly queues: readonly string[];
  /** Whether something that was begun is left to do. */
  readonly behind: boolean;
  /** The calls that were sent and have not ended, at most 1000. */
  readonly sent: readonly SentCall[];
  /** How long results are kept, in ms. */
  readonly expires: number;
  /** Reply channel, or "". */
  readonly to: string;
}

/** A call that was sent. */
export interface SentCall {
  readonly number: number;
  readonly id: string;
}

/** A stale flow as `lua/bullmq/flow/stale.lua` returns it. */
export type StaleReply = readonly [
  id: string,
  behind: number,
  queues: string,
  odd: string,
  expires: string | null,
  to: string,
  sent: readonly number[],
];

/** Reads a stale flow; `undefined` if it is malformed, so that it holds up no others. */
export function readStaleFlow([id, behind, queues, odd, expires, to, sent]: StaleReply): StaleFlow | undefined {
  if (!isTaskId(id)) return undefined;
  try {
    const oddIds = readOddIds(odd);
    return {
      id,
      behind: behind > 0,
      queues: readQueues(queues),
      expires: lifetimeIn(expires),
      to: channelIn(to),
      sent: sent.map((number) => ({ number, id: idOfCall(id, number, oddIds) })),
    };
  } catch (error) {
    if (error instanceof BullrushError) return undefined;
    throw error;
  }
}
