import type { StoredEntry } from "@bullrush/broker";

/** How long an entry that failed rests, in ms. */
const rest = 10_000;

type Known = Pick<StoredEntry, "name" | "version">;

/**
 * Entries that failed. Each rests until its time is over or the entry is changed. Times are those
 * of the monotonic clock.
 */
export class RestingEntries {
  readonly #entries = new Map<string, { readonly version: string; readonly until: number }>();

  /** The ids of the resting entries. */
  all(): readonly Known[] {
    return [...this.#entries].map(([name, { version }]) => ({ name, version }));
  }

  begin({ name, version }: Known, now: number): void {
    this.#entries.set(name, { version, until: now + rest });
  }

  /** Releases the entries whose rest is over. */
  wake(now: number): void {
    for (const [name, { until }] of this.#entries) if (until <= now) this.#entries.delete(name);
  }

  /** The end of an entry's rest; `undefined` if it does not rest. */
  until({ name, version }: Known): number | undefined {
    const entry = this.#entries.get(name);
    return entry?.version === version ? entry.until : undefined;
  }
}
