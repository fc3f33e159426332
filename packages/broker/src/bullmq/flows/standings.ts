import { isDeepStrictEqual } from "node:util";
import { BullrushError } from "../../error.js";
import { callId } from "../../id.js";
import type { Message } from "../../protocol/message.js";
import type { Standing } from "../../ports/transport.js";
import { describeCall, type Edge } from "./flow-fields.js";
import { readEdges, readOddIds, type OddIds } from "./stored-flow.js";

/** What a flow says of its calls; the same for as long as it lasts. */
export interface FlowFacts {
  readonly edges: readonly Edge[];
  readonly odd: OddIds;
  /** Of the texts in which they stood. */
  readonly characters: number;
}

/** A message and the queue in which it was. */
export interface Placed {
  readonly queue: string;
  readonly message: Message;
}

/** Most that is kept of flows: a worker reads of each once. */
const most = { flows: 1000, characters: 16 * 1024 * 1024 };

/** Says whether messages stand where their flows say. */
export class Standings {
  /** Gives for each flow the texts of its fields `edges` and `odd`; `null` where there is none. */
  readonly #read: (flows: readonly string[]) => Promise<readonly (readonly (string | null)[])[]>;
  readonly #kept = new Map<string, FlowFacts>();
  #characters = 0;

  constructor(read: (flows: readonly string[]) => Promise<readonly (readonly (string | null)[])[]>) {
    this.#read = read;
  }

  /** `Transport.standings` */
  async of(placed: readonly Placed[]): Promise<readonly Standing[]> {
    const unknown = placed.filter((one) => this.#standingOf(one) === undefined);
    const found = await this.#facts(unknown);
    return placed.map((one) => this.#standingOf(one) ?? standingIn(one, found.get(flowOf(one))));
  }

  /** By what is kept; `undefined` if that does not say that all is well: a flow of the same id may have been begun anew. */
  #standingOf(one: Placed): Standing | undefined {
    const flow = flowOf(one);
    if (flow === undefined) return one.message.standsFor === undefined ? "sound" : "forged";
    const facts = this.#kept.get(flow);
    return facts !== undefined && standingIn(one, facts) === "sound" ? "sound" : undefined;
  }

  async #facts(placed: readonly Placed[]): Promise<ReadonlyMap<string | undefined, FlowFacts | undefined>> {
    const flows = [...new Set(placed.flatMap((one) => flowOf(one) ?? []))];
    if (flows.length === 0) return new Map();
    const texts = await this.#read(flows);
    return new Map(flows.map((flow, index) => [flow, this.#keep(flow, factsIn(texts[index] ?? []))]));
  }

  #keep(flow: string, facts: FlowFacts | undefined): FlowFacts | undefined {
    this.#forget(flow);
    if (facts === undefined || facts.characters > most.characters) return facts;
    this.#kept.set(flow, facts);
    this.#characters += facts.characters;
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= most.flows && this.#characters <= most.characters) break;
      this.#forget(oldest);
    }
    return facts;
  }

  #forget(flow: string): void {
    this.#characters -= this.#kept.get(flow)?.characters ?? 0;
    this.#kept.delete(flow);
  }
}

/** The flow of which a message is a call. */
function flowOf({ message: { places } }: Placed): string | undefined {
  return places?.[0]?.flow;
}

function standingIn({ queue, message }: Placed, facts: FlowFacts | undefined): Standing {
  const [place] = message.places ?? [];
  if (place === undefined || facts === undefined) return "ended";
  const { flow, call } = place;
  const id = facts.odd.get(call) ?? callId(flow, call);
  const said = describeCall(flow, id, call, facts.edges);
  const isSaid =
    said !== undefined &&
    said.id === message.id &&
    said.queue === queue &&
    said.task === message.task &&
    isDeepStrictEqual(said.places, message.places) &&
    isDeepStrictEqual(said.standsFor, message.standsFor);
  return isSaid ? "sound" : "forged";
}

/** `undefined` for a flow that is not there, or that somebody has spoilt: it vouches for nobody. */
function factsIn([edges, odd]: readonly (string | null)[]): FlowFacts | undefined {
  if (typeof edges !== "string" || typeof odd !== "string") return undefined;
  try {
    return { edges: readEdges(edges), odd: readOddIds(odd), characters: edges.length + odd.length };
  } catch (error) {
    if (error instanceof BullrushError) return undefined;
    throw error;
  }
}
