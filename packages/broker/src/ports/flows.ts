import type { Flow, FlowAddition } from "../protocol/flow.js";
import type { Message } from "../protocol/message.js";

/** The running canvases of an engine. */
export interface Flows {
  /**
   * Keeps `flow` on the broker until all its calls have ended, and begins it. Resolves once confirmed. Rejects within the deadline (5 s by default), or a multiple of it
   * for one of many thousand calls; starting it again, with the same id, is safe.
   */
  begin(flow: Flow): Promise<void>;

  /**
   * Adds a member to a group whose join has not let pass its values, and sends it: its value comes behind those of all other members. Gives `added`; `known` if one with its id was added before, which
   * stands; `ended` if the call that adds it has ended in the flow, or there is no such flow. Rejects within the deadline (5 s by default); adding it again, with the same id, is safe.
   */
  addMember(addition: FlowAddition): Promise<Added>;

  /**
   * Sees to it that calls of a flow, all but its links or those with these numbers, do not run if they are revoked before their turn comes. Gives those that have not ended,
   * for whoever calls this to revoke; `undefined` when there is no such flow (any more).
   */
  revoke(flow: string, calls: "all" | readonly number[]): Promise<FlowRevocation | undefined>;

  /** Whether messages that say so are part of flows, and stand for other tasks, as their flows say. One command for all flows that were not asked for lately. */
  standings(messages: readonly { readonly queue: string; readonly message: Message }[]): Promise<readonly Standing[]>;
}

/** What became of a member that was to be added to a group. */
export type Added = "added" | "known" | "ended";

/** What was to be revoked with a flow, as far as it has not ended. */
export interface FlowRevocation {
  /** Ids of the tasks. */
  readonly ids: readonly string[];
  /** Queues in which they may be. */
  readonly queues: readonly string[];
}

/** `sound`: as its flow says. `ended`: there is no such flow any more, or it cannot be read. `forged`: the flow says something else. */
export type Standing = "sound" | "ended" | "forged";
