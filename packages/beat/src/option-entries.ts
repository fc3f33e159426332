import type { NamedCall, Schedules, Term } from "@bullrush/broker";

/** Maximum number of entries that one check looks for, unless one of them is lost. */
const maxChecked = 500;

/**
 * The entries of an app's options, which a leader keeps on the broker during its term. Each method
 * rejects with the store's error.
 */
export class OptionEntries {
  readonly #store: Pick<Schedules, "sync" | "lost" | "restore">;
  readonly #term: Term;
  readonly #entries: readonly NamedCall[];
  #synced = false;
  #checked = 0;

  constructor(store: Pick<Schedules, "sync" | "lost" | "restore">, term: Term, entries: readonly NamedCall[]) {
    this.#store = store;
    this.#term = term;
    this.#entries = entries;
  }

  /** Stores the entries. Returns `false` if the term is over. */
  async sync(): Promise<boolean> {
    return (this.#synced = await this.#store.sync(this.#term, this.#entries));
  }

  /**
   * Stores the entries that the broker has lost since, and resolves to their number. It checks some
   * entries at a time, in turns, and all of them once one is lost.
   */
  async check(): Promise<number> {
    if (!this.#synced) return 0;
    const some = this.#entries.slice(this.#checked, this.#checked + maxChecked);
    this.#checked = this.#checked + maxChecked < this.#entries.length ? this.#checked + maxChecked : 0;
    const found = await this.#lostOf(some);
    if (found.length === 0) return 0;
    const lost = some.length < this.#entries.length ? await this.#lostOf(this.#entries) : found;
    return (await this.#store.restore(this.#term, lost)) ? lost.length : 0;
  }

  async #lostOf(entries: readonly NamedCall[]): Promise<readonly NamedCall[]> {
    if (entries.length === 0) return [];
    const lost = new Set(await this.#store.lost(entries.map(({ name }) => name)));
    return entries.filter(({ name }) => lost.has(name));
  }
}
