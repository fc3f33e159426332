import { BullrushError } from "../../error.js";
import { callId } from "../../id.js";
import type { Message } from "../../protocol/message.js";
import type { TaskRef, FlowPosition, Target } from "../../protocol/flow-position.js";
import type { Standing } from "../../ports/flows.js";
import { describeCall, type DescribedCall, type Edge } from "./flow-fields.js";
import { readEdges, readOddIds, type OddIds } from "./stored-flow.js";

/** A message and the queue in which it was. */
export interface Placed {
  readonly queue: string;
  readonly message: Message;
}

/** Longest text of a flow that is searched before it is decoded, in characters: decoding a chain costs more than all else. */
const longestSearched = 4096;

/** What a flow says of the calls with which it began; the same for as long as it lasts. */
export class FlowFacts {
  /** Of the texts in which they stand. */
  readonly characters: number;
  readonly #edges: string;
  readonly #odd: string;
  /** `"spoilt"` when somebody has changed it: then it vouches for nobody. */
  #decoded: { readonly edges: readonly Edge[]; readonly odd: OddIds } | "spoilt" | undefined;

  /** @param edges, odd the fields of these names */
  constructor(edges: string, odd: string) {
    this.characters = edges.length + odd.length;
    this.#edges = edges;
    this.#odd = odd;
  }

  /** Of a message whose first place is in this flow. */
  standingOf(placed: Placed, place: FlowPosition): Standing {
    if (this.#decoded === undefined && this.#hasItsText(placed, place)) return "sound";
    const decoded = (this.#decoded ??= decode(this.#edges, this.#odd));
    if (decoded === "spoilt") return "ended";
    const id = decoded.odd.get(place.call) ?? callId(place.flow, place.call);
    return isSaid(placed, describeCall(place.flow, id, place.call, decoded.edges)) ? "sound" : "forged";
  }

  /** Whether a call comes behind all with which the flow began: then it was added, if there is one. */
  isBeyond({ call }: FlowPosition): boolean {
    const decoded = (this.#decoded ??= decode(this.#edges, this.#odd));
    return decoded !== "spoilt" && call > (decoded.edges.at(-1)?.[1] ?? -1);
  }

  /** Whether the flow says of this call what the message does, to the letter. In JSON, no text of somebody's can hold such a range. */
  #hasItsText({ queue, message }: Placed, { flow, call }: FlowPosition): boolean {
    if (this.characters > longestSearched || this.#odd !== "{}" || callId(flow, call) !== message.id) return false;
    const { task, places, standsFor } = message;
    return this.#edges.includes(JSON.stringify([call, call, { task, queue, places, standsFor }]));
  }
}

function decode(edges: string, odd: string): { readonly edges: readonly Edge[]; readonly odd: OddIds } | "spoilt" {
  try {
    return { edges: readEdges(edges), odd: readOddIds(odd) };
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
    isSameList(said.places, message.places, isSamePosition) &&
    isSameList(said.standsFor, message.standsFor, isSameTask)
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
