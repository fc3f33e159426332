import type { Standing } from "../../ports/flows.js";
import type { FlowAdditions } from "./additions.js";
import { FlowFacts, isSaid, type Placed } from "./flow-facts.js";

/** Most that is kept of flows. Queues hold the first steps of many flows before the second of any, and a worker is to read of each once. */
const max = { flows: 20_000, characters: 16 * 1024 * 1024 };

/** What is read of flows. */
export interface FlowReads {
  /** Returns for each flow the texts of its fields `callGroups` and `customIds`, `null` where there is none; and why it cannot be read, if it is kept in another layout. */
  readFacts(flows: readonly string[]): Promise<readonly (readonly (string | null)[])[]>;
  /** What members have added to their groups. */
  readonly additions: Pick<FlowAdditions, "read">;
}

/** `undefined` for a flow that is not there. */
type Facts = FlowFacts | "other-layout" | undefined;

/** Says whether messages stand where their flows say. */
export class Standings {
  readonly #flows: FlowReads;
  readonly #kept = new Map<string, FlowFacts>();
  #characters = 0;

  constructor(flows: FlowReads) {
    this.#flows = flows;
  }

  /** `Flows.standings` */
  async of(placed: readonly Placed[]): Promise<readonly Standing[]> {
    const known = placed.map((one) => this.#standingOf(one));
    await this.#judgeAdded(placed, known, (flow) => this.#kept.get(flow));
    const asked = new Set<string>();
    known.forEach((standing, index) => {
      const flow = standing === undefined ? flowOf(placed[index] as Placed) : undefined;
      if (flow !== undefined) asked.add(flow);
    });
    if (asked.size === 0) return known as readonly Standing[];
    const found = await this.#facts([...asked]);
    await this.#judgeAdded(placed, known, (flow) => found.get(flow));
    return placed.map((one, index) => known[index] ?? standingIn(one, found.get(flowOf(one))));
  }

  /** Notes in `known` those that were added to flows after these began, as these say of them now. Nothing is asked while there are none. */
  async #judgeAdded(placed: readonly Placed[], known: (Standing | undefined)[], factsOf: (flow: string) => Facts): Promise<void> {
    const beyond = placed.flatMap((one, index) => {
      const [position] = one.message.positions ?? [];
      if (known[index] !== undefined || position === undefined) return [];
      const facts = factsOf(position.flow);
      return facts instanceof FlowFacts && facts.isBeyond(position) ? [{ one, index, position }] : [];
    });
    const said = await this.#flows.additions.read(beyond.map(({ position }) => position));
    for (const [at, { one, index }] of beyond.entries()) if (isSaid(one, said[at])) known[index] = "sound";
  }

  /** By what is kept; `undefined` if that does not say that all is well: a flow of the same id may have been begun anew. */
  #standingOf(one: Placed): Standing | undefined {
    const flow = flowOf(one);
    if (flow === undefined) return one.message.replaces === undefined ? "sound" : "forged";
    const facts = this.#kept.get(flow);
    return facts !== undefined && standingIn(one, facts) === "sound" ? "sound" : undefined;
  }

  async #facts(flows: readonly string[]): Promise<ReadonlyMap<string | undefined, Facts>> {
    const texts = await this.#flows.readFacts(flows);
    return new Map(flows.map((flow, index) => [flow, this.#keep(flow, factsIn(texts[index] ?? []))]));
  }

  #keep(flow: string, facts: Facts): Facts {
    this.#forget(flow);
    if (!(facts instanceof FlowFacts) || facts.characters > max.characters) return facts;
    this.#kept.set(flow, facts);
    this.#characters += facts.characters;
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= max.flows && this.#characters <= max.characters) break;
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
function flowOf({ message: { positions } }: Placed): string | undefined {
  return positions?.[0]?.flow;
}

function standingIn(one: Placed, facts: Facts): Standing {
  if (facts === "other-layout") return facts;
  const [position] = one.message.positions ?? [];
  return position === undefined || facts === undefined ? "ended" : facts.standingOf(one, position);
}

function factsIn([callGroups, customIds, otherLayout]: readonly (string | null)[]): Facts {
  if (typeof otherLayout === "string") return "other-layout";
  return typeof callGroups === "string" && typeof customIds === "string" ? new FlowFacts(callGroups, customIds) : undefined;
}
