import { begun, free, memoryOf, row, rowsPerBlock, used, type Memory } from "./shared.js";

/** What a row says of a delivery. */
export interface HeldRow {
  /** Index of its queue. */
  readonly queue: number;
  /** Index of the name of its task. */
  readonly task: number;
  readonly id: string;
  readonly token: string;
  /** When it was taken, ms of `steadyNow`. */
  readonly heldAt: number;
}

/** The rows of a worker, as the worker writes them. Writing one costs about a third of a microsecond: each task has one. */
export class HeldRows {
  readonly #onBlock: (block: SharedArrayBuffer) => void;
  readonly #blocks: Memory[] = [];
  readonly #free: number[] = [];

  /** @param onBlock hears of each new piece of shared memory */
  constructor(onBlock: (block: SharedArrayBuffer) => void) {
    this.#onBlock = onBlock;
  }

  /** Writes a row and gives its number; -1 when it does not fit, because an id of somebody else's is very long. */
  hold({ queue, task, id, token, heldAt }: HeldRow): number {
    const number = this.#free.pop() ?? this.#grow();
    const [{ bytes, numbers, times }, at] = this.#placeOf(number);
    const idLength = bytes.write(id, at + row.text, row.size - row.text);
    const tokenLength = bytes.write(token, at + row.text + idLength, row.size - row.text - idLength);
    if (idLength + tokenLength >= row.size - row.text) {
      this.#free.push(number);
      return -1;
    }
    const word = at / 4;
    numbers[word + row.queue / 4] = queue;
    numbers[word + row.task / 4] = task;
    numbers[word + row.once / 4] = 0;
    numbers[word + row.idLength / 4] = idLength;
    numbers[word + row.tokenLength / 4] = tokenLength;
    times[(at + row.heldAt) / 8] = heldAt;
    times[(at + row.begunAt) / 8] = 0;
    times[(at + row.limit) / 8] = 0;
    Atomics.store(numbers, word, used);
    return number;
  }

  /** Its function begins, and is to have ended after `limit` ms. */
  limit(number: number, begunAt: number, limit: number): void {
    const [{ times }, at] = this.#placeOf(number);
    times[(at + row.begunAt) / 8] = begunAt;
    times[(at + row.limit) / 8] = limit;
  }

  /** Its function has ended. */
  unlimit(number: number): void {
    const [{ times }, at] = this.#placeOf(number);
    times[(at + row.limit) / 8] = 0;
  }

  /** Its function begins; `isOnce`: and must not be called again. */
  begin(number: number, isOnce: boolean): void {
    const [{ numbers }, at] = this.#placeOf(number);
    if (isOnce) numbers[(at + row.once) / 4] = 1;
    Atomics.store(numbers, at / 4, begun);
  }

  release(number: number): void {
    const [{ numbers }, at] = this.#placeOf(number);
    Atomics.store(numbers, at / 4, free);
    this.#free.push(number);
  }

  #placeOf(number: number): readonly [memory: Memory, at: number] {
    return [this.#blocks[Math.floor(number / rowsPerBlock)] as Memory, (number % rowsPerBlock) * row.size];
  }

  /** Gives the first row of a new block; the others are free. */
  #grow(): number {
    const block = memoryOf(new SharedArrayBuffer(row.size * rowsPerBlock));
    const first = this.#blocks.push(block) * rowsPerBlock - rowsPerBlock;
    for (let number = first + rowsPerBlock - 1; number > first; number--) this.#free.push(number);
    this.#onBlock(block.shared);
    return first;
  }
}

/** A row as the guard reads it. */
export interface ReadRow extends HeldRow {
  readonly number: number;
  /** Whether its function has been called. */
  readonly begun: boolean;
  readonly once: boolean;
  readonly begunAt: number;
  readonly limit: number;
}

/** The rows that are in use in a block, whose first row has the number `first`. One that changes meanwhile may be read wrongly: its token then fits nothing. */
export function readRows({ bytes, numbers, times }: Memory, first: number): readonly ReadRow[] {
  const rows: ReadRow[] = [];
  for (let at = 0; at < row.size * rowsPerBlock; at += row.size) {
    const word = at / 4;
    const state = Atomics.load(numbers, word);
    if (state !== used && state !== begun) continue;
    const numberAt = (offset: number) => numbers[word + offset / 4] ?? 0;
    const timeAt = (offset: number) => times[(at + offset) / 8] ?? 0;
    const from = at + row.text;
    const middle = from + numberAt(row.idLength);
    // Before the time from which it counts, which is written first.
    const limit = timeAt(row.limit);
    rows.push({
      number: first + at / row.size,
      begun: state === begun,
      queue: numberAt(row.queue),
      task: numberAt(row.task),
      id: bytes.toString("utf8", from, middle),
      token: bytes.toString("utf8", middle, middle + numberAt(row.tokenLength)),
      heldAt: timeAt(row.heldAt),
      once: numberAt(row.once) === 1,
      begunAt: timeAt(row.begunAt),
      limit,
    });
  }
  return rows;
}
