import type { StoreRequest } from "../../ports/results.js";
import type { Settlement } from "../../ports/settlement.js";
import { outcomeOfRecord } from "../../protocol/outcome.js";
import { encodeRecord, type TaskRecord } from "../../protocol/record.js";
import { flowIndexKey, flowKeys } from "../../redis/keys.js";
import type { Argument } from "../../redis/script.js";
import type { ResultStore } from "../result-store.js";
import { fence } from "./cascade.js";
import { endingOf } from "./endings.js";
import type { FlowStore } from "./flow-store.js";

/** What follows in flows upon settlements, as arguments of an exchange. */
export class Continuations {
  readonly #results: ResultStore;
  readonly #flows: FlowStore;
  readonly #keys: readonly Argument[];
  /** What settles a delivery for which another result had been stored. */
  readonly #instead = new WeakMap<Settlement, Settlement>();
  #superseded = false;

  constructor(results: ResultStore, flows: FlowStore, prefix: string) {
    this.#results = results;
    this.#flows = flows;
    this.#keys = [flowKeys(prefix), `${prefix}:`, flowIndexKey(prefix)];
  }

  /** `settlement`, or what it became because another result had been stored first. */
  current(settlement: Settlement): Settlement {
    return (this.#superseded ? this.#instead.get(settlement) : undefined) ?? settlement;
  }

  /** The same of several; most have become nothing else. */
  currents(settlements: readonly Settlement[]): readonly Settlement[] {
    return this.#superseded ? settlements.map((settlement) => this.current(settlement)) : settlements;
  }

  /**
   * What follows, as `lua/bullmq/settle-and-take.lua` reads it.
   * @param sent the settlements in the order in which the script has them
   * @param records what the script stores, in its order
   */
  arguments(sent: readonly Settlement[], records: readonly StoreRequest[]): readonly Argument[] {
    // Most settlements are of no flow.
    if (!sent.some(isFollowed)) return [0];
    const numbers = new Map(records.map((record, index) => [record, index + 1]));
    const args: Argument[] = [];
    let count = 0;
    sent.forEach((settlement, index) => {
      if (!isFollowed(settlement)) return;
      const { content } = settlement.delivery;
      const ending = content.type === "message" ? endingOf(content.message, settlement.outcome) : undefined;
      if (content.type !== "message" || ending === undefined) return;
      const { store } = settlement;
      args.push(index + 1, (store && numbers.get(store)) ?? 0, JSON.stringify(content.message.positions ?? []), ...ending);
      count++;
    });
    return count === 0 ? [0] : [count, ...this.#keys, ...args];
  }

  /** Sees to it that those of which another result is stored go on with that. */
  async supersede(settlements: readonly Settlement[]): Promise<void> {
    this.#superseded ||= settlements.length > 0;
    const records = await this.#results.read(settlements.map(({ delivery }) => delivery.id));
    for (const [index, settlement] of settlements.entries()) {
      const { delivery, outcome } = settlement;
      const record = records[index];
      if (outcome.type === "replaced" && record !== undefined) await this.#callOff(outcome.flow.id, record);
      // When it has expired meanwhile, what came out here is as good.
      this.#instead.set(settlement, { delivery, outcome: (record && outcomeOfRecord(record)) ?? outcome });
    }
  }

  /** Nobody wants what runs in the place of a task that has ended otherwise: it was revoked. */
  async #callOff(flow: string, { reason = "its task has ended" }: TaskRecord): Promise<void> {
    const open = await this.#flows.callOff(flow, "all");
    if (open === undefined) return;
    await this.#flows.mark(open, reason);
    const record = encodeRecord({ state: "REVOKED", delivery: 0, reason, endedAt: Date.now() });
    await this.#results.store(open.ids.map((id) => ({ id, delivery: fence, expires: replacementKept, record })));
  }
}

/** How long it is known that what ran in the place of a task was called off, in ms: a day. */
const replacementKept = 24 * 3600 * 1000;

/** Whether something follows upon a settlement, or runs in the place of its task: then the result that stands is what counts. */
export function isFollowed({ delivery: { content }, outcome }: Settlement): boolean {
  return content.type === "message" && (content.message.positions !== undefined || outcome.type === "replaced");
}
