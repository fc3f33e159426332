import type { Bound } from "../ports/retention.js";

interface Entry<T> {
  readonly value: T;
  /** Since when it is kept, in ms since the epoch. */
  readonly at: number;
  readonly bytes: number;
}

/** What an entry takes beside its texts, in bytes. */
const overhead = 1200;

/** What is kept of messages that have ended, oldest first, within a bound. */
export class Kept<T> {
  readonly #entries = new Map<string, Entry<T>>();
  #bytes = 0;

  get size(): number {
    return this.#entries.size;
  }

  get(id: string): T | undefined {
    return this.#entries.get(id)?.value;
  }

  /**
   * Keeps `value`, and returns the ids of those that are beyond the bound now: the new one's own if
   * nothing is to be kept.
   */
  add(
    id: string,
    value: T,
    { at, texts, bound }: { readonly at: number; readonly texts: number; readonly bound: Bound },
  ): readonly string[] {
    this.delete(id);
    const bytes = overhead + texts;
    this.#entries.set(id, { value, at, bytes });
    this.#bytes += bytes;
    return this.#drop(() => this.#entries.size > bound.count || this.#bytes > bound.bytes);
  }

  /** Removes what was kept before `time`, and returns the ids. */
  dropBefore(time: number): readonly string[] {
    return this.#drop(({ at }) => at < time);
  }

  delete(id: string): boolean {
    this.#bytes -= this.#entries.get(id)?.bytes ?? 0;
    return this.#entries.delete(id);
  }

  #drop(isBeyond: (oldest: Entry<T>) => boolean): readonly string[] {
    const dropped: string[] = [];
    for (const [id, entry] of this.#entries) {
      if (!isBeyond(entry)) break;
      this.delete(id);
      dropped.push(id);
    }
    return dropped;
  }
}
