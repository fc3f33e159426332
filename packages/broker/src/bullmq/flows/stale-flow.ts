import { BullrushError } from "../../errors/error.js";
import { isTaskId } from "../../protocol/id.js";
import { channelIn, idOfCall, lifetimeIn, readCustomIds, readQueues } from "./stored-flow.js";

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
  readonly replyTo: string;
  /** Why it is left alone: it is kept in another layout. Absent for most. */
  readonly otherLayout?: string;
}

/** A call that was sent. */
export interface SentCall {
  readonly number: number;
  readonly id: string;
}

/** A stale flow as `lua/bullmq/flow/stale.lua` returns it. */
export type StaleReply =
  | FlowOfOtherLayout
  | readonly [
      id: string,
      behind: number,
      queues: string,
      customIds: string,
      expires: string | null,
      replyTo: string,
      sent: readonly number[],
    ];

type FlowOfOtherLayout = readonly [id: string, behind: -1, why: string];

function isOfOtherLayout(reply: StaleReply): reply is FlowOfOtherLayout {
  return reply[1] === -1;
}

/** Reads a stale flow; `undefined` if it is malformed, so that it holds up no others. */
export function readStaleFlow(reply: StaleReply): StaleFlow | undefined {
  if (!isTaskId(reply[0])) return undefined;
  if (isOfOtherLayout(reply)) {
    const [id, , otherLayout] = reply;
    return { id, behind: false, queues: [], expires: lifetimeIn(null), replyTo: "", sent: [], otherLayout };
  }
  const [id, behind, queues, customIdsText, expires, replyTo, sent] = reply;
  try {
    const customIds = readCustomIds(customIdsText);
    return {
      id,
      behind: behind > 0,
      queues: readQueues(queues),
      expires: lifetimeIn(expires),
      replyTo: channelIn(replyTo),
      sent: sent.map((number) => ({ number, id: idOfCall(id, number, customIds) })),
    };
  } catch (error) {
    if (error instanceof BullrushError) return undefined;
    throw error;
  }
}
