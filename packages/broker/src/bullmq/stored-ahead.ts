import type { Settlement } from "../ports/settlement.js";
import type { StoreRequest } from "../ports/results.js";
import type { Connection } from "../redis/connection.js";
import { isFollowed, type Continuations } from "./flows/continuations.js";
import type { ResultStore } from "./result-store.js";

export interface StoredAheadOptions {
  readonly results: ResultStore;
  readonly continuations: Continuations;
  readonly commands: Connection;
  /** Longest time that a call may take, outages included, in ms. */
  readonly deadline: number;
}

/**
 * Stores results ahead of their settlements, once each, unless the settlement's own script stores
 * them.
 */
export class StoredAhead {
  readonly #options: StoredAheadOptions;
  readonly #stored = new WeakSet<Settlement>();
  #probed: Promise<string | undefined> | undefined;

  constructor(options: StoredAheadOptions) {
    this.#options = options;
  }

  /**
   * Finds out, once, whether the script may store results. Resolves with why not, where that was to
   * be expected.
   */
  probe(): Promise<string | undefined> {
    const { results, commands, deadline } = this.#options;
    return (this.#probed ??= results.probe(commands, deadline).catch((error: unknown) => {
      this.#probed = undefined;
      throw error;
    }));
  }

  /** The rights of the user may have changed: the next `probe` asks anew. */
  doubt(): void {
    this.#probed = undefined;
  }

  /** Stores the results of `settlements`. Does nothing where the script stores them. */
  async store(settlements: readonly Settlement[]): Promise<void> {
    const { results, continuations } = this.#options;
    await this.probe();
    if (results.storesInSettlement) return;
    const unstored = settlements.filter((settlement) => !this.#stored.has(settlement));
    const records = unstored.flatMap(recordsOf);
    const replies = await results.store(records);
    const refused = new Set(records.filter((_, index) => replies[index] === "superseded"));
    const superseded = refused.size === 0 ? [] : unstored.filter(({ store }) => store !== undefined && refused.has(store));
    await continuations.supersede(superseded.filter(isFollowed));
    this.add(unstored);
  }

  /** Notes that the results of `settlements` are stored. */
  add(settlements: readonly Settlement[]): void {
    for (const settlement of settlements) this.#stored.add(settlement);
  }

  /** What the script has to store of `settlements`. */
  left(settlements: readonly Settlement[]): readonly StoreRequest[] {
    if (!this.#options.results.storesInSettlement) return [];
    return settlements.filter((settlement) => !this.#stored.has(settlement)).flatMap(recordsOf);
  }
}

/** What a settlement stores: first its own record. */
function recordsOf({ store, copies = [] }: Settlement): readonly StoreRequest[] {
  return store === undefined ? copies : [store, ...copies];
}
