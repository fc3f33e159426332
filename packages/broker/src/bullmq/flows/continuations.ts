import type { Settlement } from "../../ports/transport.js";
import { flowIndexKey, flowKeys } from "../../redis/keys.js";
import type { Argument } from "../../redis/script.js";
import { outcomeOfRecord } from "../../protocol/outcome.js";
import type { ResultStore } from "../result-store.js";
import { endingOf } from "./endings.js";
import { knownWith, nothingKnown, recordsFor, type Known, type Wanted } from "./wanted.js";

/** What follows in flows upon settlements: as arguments of an exchange, and, where the flow wants something first, what it wants. */
export class Continuations {
  readonly #results: ResultStore;
  readonly #keys: readonly Argument[];
  readonly #known = new WeakMap<Settlement, Known>();
  /** What settles a delivery for which another result had been stored. */
  readonly #instead = new WeakMap<Settlement, Settlement>();

  constructor(results: ResultStore, prefix: string) {
    this.#results = results;
    this.#keys = [flowKeys(prefix), `${prefix}:`, flowIndexKey(prefix)];
  }

  /** `settlement`, or what it became because another result had been stored first. */
  current(settlement: Settlement): Settlement {
    return this.#instead.get(settlement) ?? settlement;
  }

  /**
   * What follows, as `lua/bullmq/exchange.lua` reads it.
   * @param sent the settlements in the order in which the script has them
   * @param recordOf the number of the record that the script stores for one, from 1; 0 if it stores none
   */
  arguments(sent: readonly Settlement[], recordOf: (settlement: Settlement) => number): readonly Argument[] {
    const args: Argument[] = [];
    let count = 0;
    sent.forEach((settlement, index) => {
      const { content } = settlement.delivery;
      if (content.type !== "message" || content.message.places === undefined) return;
      const ending = endingOf(content.message, settlement.outcome);
      if (ending === undefined) return;
      const known = this.#known.get(settlement);
      const places = JSON.stringify(content.message.places);
      args.push(index + 1, recordOf(settlement), places, ...ending, known === undefined ? "" : JSON.stringify(known));
      count++;
    });
    return count === 0 ? [0] : [count, ...this.#keys, ...args];
  }

  /** Sees to it that those of which another result is stored go on with that. */
  async supersede(settlements: readonly Settlement[]): Promise<void> {
    const records = await this.#results.read(settlements.map(({ delivery }) => delivery.id));
    settlements.forEach((settlement, index) => {
      const { delivery, outcome } = settlement;
      const record = records[index];
      // When it has expired meanwhile, what came out here is as good.
      const stored = record && outcomeOfRecord(record);
      this.#instead.set(settlement, { delivery, outcome: stored ?? outcome });
    });
  }

  /** Stores and notes what the flows want of settlements that were held; these are to be settled once more. */
  async provide(held: ReadonlyMap<Settlement, string>, now: number): Promise<void> {
    const wanted = [...held].flatMap(([settlement, why]) => (why === superseded ? [] : [[settlement, JSON.parse(why) as Wanted] as const]));
    await this.supersede([...held].flatMap(([settlement, why]) => (why === superseded ? settlement : [])));
    await this.#results.store(wanted.flatMap(([, one]) => recordsFor(one, now)));
    for (const [settlement, one] of wanted) {
      const current = this.current(settlement);
      this.#known.set(current, knownWith(this.#known.get(current) ?? nothingKnown, one));
    }
  }
}

/** Why a settlement was held for which another result had been stored. */
const superseded = "superseded";
