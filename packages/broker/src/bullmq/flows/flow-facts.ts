import { BullrushError } from "../../errors/error.js";
import { callId } from "../../protocol/id.js";
import type { Message } from "../../protocol/message.js";
import type { TaskRef, FlowPosition, Target } from "../../protocol/flow-position.js";
import type { Standing } from "../../ports/flows.js";
import { describeCall, type DescribedCall, type CallGroup } from "./flow-fields.js";
import { readCallGroups, readCustomIds, type CustomIds } from "./stored-flow.js";

/** A message and the queue in which it was. */
export interface Placed {
  readonly queue: string;
  readonly message: Message;
}

/** Longest text of a flow that is searched before it is decoded, in characters: decoding a chain costs more than all else. */
const maxSearched = 4096;

/** What a flow says of the calls with which it began; the same for as long as it lasts. */
export class FlowFacts {
  /** Of the texts in which they stand. */
  readonly characters: number;
  readonly #callGroups: string;
  readonly #customIds: string;
  /** `"spoilt"` when somebody has changed it: then it vouches for nobody. */
  #decoded: { readonly callGroups: readonly CallGroup[]; readonly customIds: CustomIds } | "spoilt" | undefined;

  /** @param callGroups, customIds the fields of these names */
  constructor(callGroups: string, customIds: string) {
    this.characters = callGroups.length + customIds.length;
    this.#callGroups = callGroups;
    this.#customIds = customIds;
  }

  /** Of a message whose first position is in this flow. */
  standingOf(placed: Placed, position: FlowPosition): Standing {
    if (this.#decoded === undefined && this.#hasItsText(placed, position)) return "sound";
    const decoded = (this.#decoded ??= decode(this.#callGroups, this.#customIds));
    if (decoded === "spoilt") return "ended";
    const id = decoded.customIds.get(position.call) ?? callId(position.flow, position.call);
    return isSaid(placed, describeCall(position.flow, id, position.call, decoded.callGroups)) ? "sound" : "forged";
  }

  /** Whether a call comes behind all with which the flow began: then it was added, if there is one. */
  isBeyond({ call }: FlowPosition): boolean {
    const decoded = (this.#decoded ??= decode(this.#callGroups, this.#customIds));
    return decoded !== "spoilt" && call > (decoded.callGroups.at(-1)?.[1] ?? -1);
  }

  /** Whether the flow says of this call what the message does, to the letter. In JSON, no text of somebody's can hold such a range. */
  #hasItsText({ queue, message }: Placed, { flow, call }: FlowPosition): boolean {
    if (this.characters > maxSearched || this.#customIds !== "{}" || callId(flow, call) !== message.id) return false;
    const { task, positions, replaces } = message;
    return this.#callGroups.includes(JSON.stringify([call, call, { task, queue, positions, replaces }]));
  }
}

function decode(
  callGroups: string,
  customIds: string,
): { readonly callGroups: readonly CallGroup[]; readonly customIds: CustomIds } | "spoilt" {
  try {
    return { callGroups: readCallGroups(callGroups), customIds: readCustomIds(customIds) };
  } catch (error) {
    if (error instanceof BullrushError) return "spoilt";
    throw error;
  }
}

/** Whether a message is what is said of its call. */
export function isSaid({ queue, message }: Placed, said: DescribedCall | undefined): boolean {
  return (
    said !== undefined &&
    said.id === message.id &&
    said.queue === queue &&
    said.task === message.task &&
    isSameList(said.positions, message.positions, isSamePosition) &&
    isSameList(said.replaces, message.replaces, isSameTask)
  );
}

function isSameList<T>(one: readonly T[] | undefined, other: readonly T[] | undefined, isSame: (one: T, other: T) => boolean): boolean {
  if (one === undefined || other === undefined) return one === other;
  return one.length === other.length && one.every((item, index) => isSame(item, other[index] as T));
}

function isSamePosition(one: FlowPosition, other: FlowPosition): boolean {
  return one.flow === other.flow && one.call === other.call && isSameList(one.next, other.next, isSameTarget);
}

function isSameTarget(one: Target, other: Target): boolean {
  return isSameList<string | number>(one, other, Object.is);
}

function isSameTask(one: TaskRef, other: TaskRef): boolean {
  return one.id === other.id && one.task === other.task;
}
