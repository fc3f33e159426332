/** Width of a slot, in ms. Times in one slot count as equal. */
const together = 25;

interface Entry {
  at: number;
}

/**
 * Entries by the time at which they are due, in slots of 25 ms, so that neither adding nor taking
 * visits all entries.
 */
export class TimingWheel<E extends Entry> {
  readonly #slots = new Map<number, Set<E>>();

  /** When the first entry may be due; `Infinity` if there is none. */
  get next(): number {
    let first = Infinity;
    for (const slot of this.#slots.keys()) first = Math.min(first, slot);
    return first * together;
  }

  /** Adds `entry`, or moves it, to be due at `at`. */
  set(entry: E, at: number): void {
    this.remove(entry);
    entry.at = at;
    const key = slotOf(at);
    const slot = this.#slots.get(key);
    if (slot === undefined) this.#slots.set(key, new Set([entry]));
    else slot.add(entry);
  }

  /** Removes `entry`, if it is there. */
  remove(entry: E): void {
    const key = slotOf(entry.at);
    const slot = this.#slots.get(key);
    if (slot?.delete(entry) && slot.size === 0) this.#slots.delete(key);
    entry.at = Infinity;
  }

  /** Removes and returns at most `most` entries that are due at `now` or soon after. */
  take(now: number, most: number): readonly E[] {
    const due: E[] = [];
    for (const key of [...this.#slots.keys()].toSorted((a, b) => a - b)) {
      if (key > slotOf(now + together)) break;
      for (const entry of this.#slots.get(key) ?? []) {
        if (due.length === most) return due;
        this.remove(entry);
        due.push(entry);
      }
    }
    return due;
  }
}

function slotOf(at: number): number {
  return Math.floor(at / together);
}
