import type { StoredEntry } from "@bullrush/broker";

/** For how long an entry is left alone that could not go on, in ms. */
const rest = 10_000;

type Known = Pick<StoredEntry, "name" | "version">;

/** Entries that could not go on, until they are tried again or changed. Times are of the steady clock. */
export class Resting {
  readonly #entries = new Map<string, { readonly version: string; readonly until: number }>();

  /** Those that rest. */
  all(): readonly Known[] {
    return [...this.#entries].map(([name, { version }]) => ({ name, version }));
  }

  begin({ name, version }: Known, now: number): void {
    this.#entries.set(name, { version, until: now + rest });
  }

  /** Lets those go on whose time has come. */
  wake(now: number): void {
    for (const [name, { until }] of this.#entries) if (until <= now) this.#entries.delete(name);
  }

  /** Until when it rests; `undefined` if it does not. */
  until({ name, version }: Known): number | undefined {
    const entry = this.#entries.get(name);
    return entry?.version === version ? entry.until : undefined;
  }
}
