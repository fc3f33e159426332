import { additionId, BullrushError, encodeMessage, type Clock, type FlowAddition, type Message } from "@bullrush/broker";
import { messageOf, type PublishSettings } from "../publishing/build-message.js";
import { refuse } from "../options/check.js";
import { checkCall } from "../publishing/check-call.js";
import { callOf } from "./signature.js";

/** A run of a group's member that adds another member. */
export interface Adding {
  readonly member: Message;
  /** The number of the call in this run, from 0. */
  readonly ordinal: number;
}

export interface AdditionSetting {
  readonly options: PublishSettings;
  /** Reply channel of the sender. */
  readonly replyTo: string;
  readonly clock: Clock;
}

/**
 * Compiles the member that a member of a group adds to it. Throws `ADD_TO_CHORD_UNSUPPORTED` for a
 * task that is not a member, `INVALID_OPTION` for a value that is not a signature, a signature with
 * links or a `taskId`, or one that goes to several queues, `ENCODE_ERROR`, `PAYLOAD_TOO_LARGE`, and
 * the router's errors.
 */
export function additionOf(signature: unknown, { member, ordinal }: Adding, { options, replyTo, clock }: AdditionSetting): FlowAddition {
  const where = joinOf(member);
  if (where === undefined) throw new BullrushError("ADD_TO_CHORD_UNSUPPORTED", { task: member.task });
  const place = `what was given to this.addToChord() in ${member.task}`;
  const call = callOf(signature, place);
  const { task, args, declared, options: own } = call;
  checkCall(task, args, own);
  if (own.taskId !== undefined) refuse(place, "a call with a taskId", "one without: its id follows from that of the task");
  const { queues, priority = 0 } = options.router.route({ task, args, call: own, declared });
  const [queue] = queues;
  if (queue === undefined || queues.length > 1) refuse(place, `a call that goes to ${queues.length} queues`, "one that goes to one queue");
  const id = additionId(member.id, ordinal);
  const address = { id, priority, replyTo, now: clock.now(), rootId: member.rootId, parentId: member.id, resent: false };
  const message = messageOf(call, address);
  if (member.groupId !== undefined) message.groupId = member.groupId;
  // As long as it will be, but for its positions.
  encodeMessage(message, options.maxPayload);
  return { ...where, queue, message };
}

/** The place of a task among the members of a group that something waits for: the innermost one, if it stands for other tasks. */
function joinOf({ positions = [] }: Message): Pick<FlowAddition, "flow" | "by" | "join"> | undefined {
  for (const { flow, call, next } of positions) {
    for (const target of next) if (target[0] === "slot") return { flow, by: call, join: target[1] };
  }
  return undefined;
}
