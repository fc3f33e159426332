import type { Clock, Consumer } from "@bullrush/broker";
import type { Logger } from "pino";
import type { TaskSlot } from "./task-slot.js";

export interface PromotionOptions {
  readonly consumer: Pick<Consumer, "promote">;
  readonly clock: Clock;
  readonly log: Logger;
  /** Hears why messages could not be moved. */
  readonly onTrouble: (error: unknown) => void;
  /** The ids of the tasks that run here, with a slot or without. */
  readonly here: () => ReadonlySet<string>;
  /** Lends the slot of a task whose wait now ends without those that were taken before. */
  readonly lend: (slot: TaskSlot) => void;
}

/** Time between two rounds, in ms; most messages in one; and how long a line is not repeated, in ms. */
const limits = { pause: 250, messages: 1000, quiet: 600_000 };

/**
 * Looks after tasks that wait when as many slots are lent as may be: in a queue, what they wait for stands behind others that would wait too. It is moved to the
 * front, and only then is the slot lent. What is not sent yet, or not due yet, is moved when it is.
 */
export class Promotion {
  readonly #options: PromotionOptions;
  /** The tasks that wait, with the ids of the messages that were moved for them. */
  readonly #slots = new Map<TaskSlot, Set<string>>();
  readonly #told = new Map<string, number>();
  #timer: NodeJS.Timeout | undefined;
  #busy = false;
  #again = false;
  #closed = false;

  constructor(options: PromotionOptions) {
    this.#options = options;
  }

  add(slot: TaskSlot): void {
    if (this.#closed) return;
    this.#slots.set(slot, new Set());
    this.#tell(
      "as many tasks wait for others as may lend their slots: what the next ones wait for is moved to the front of its queue",
      slot,
    );
    if (this.#busy) this.#again = true;
    else this.#roundIn(0);
  }

  remove(slot: TaskSlot): void {
    this.#slots.delete(slot);
  }

  /** A task that has its slot still and would lend it, if any. It is looked after no more. */
  next(): TaskSlot | undefined {
    for (const slot of this.#slots.keys()) {
      if (slot.state !== "held") continue;
      this.#slots.delete(slot);
      return slot;
    }
    return undefined;
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#slots.clear();
  }

  #roundIn(pause: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#round(), pause);
  }

  async #round(): Promise<void> {
    this.#busy = true;
    this.#again = false;
    try {
      await this.#promote();
    } catch (error) {
      if (!this.#closed) this.#options.onTrouble(error);
    }
    this.#busy = false;
    if (this.#slots.size > 0 && !this.#closed) this.#roundIn(this.#again ? 0 : limits.pause);
  }

  async #promote(): Promise<void> {
    const asked = this.#inTurn();
    const messages = asked.flatMap(({ wanted }) => wanted);
    const moved = messages.length === 0 ? [] : await this.#options.consumer.promote(messages);
    let at = 0;
    for (const { slot, wanted, isHere } of asked) {
      const replies = moved.slice(at, (at += wanted.length));
      const known = this.#slots.get(slot);
      if (known === undefined) continue;
      wanted.forEach(({ id }, index) => replies[index] && known.add(id));
      if (slot.state === "held" && (isHere || known.size > 0)) this.#options.lend(slot);
      else if (slot.state === "held")
        this.#tell("a task keeps its slot while it waits: what it waits for cannot be moved to the front", slot);
    }
  }

  /** What is to be moved for whom: first for those that have their slots still, then for those that were asked for longest ago. */
  #inTurn() {
    const all = [...this.#slots.keys()];
    const asked: { readonly slot: TaskSlot; readonly wanted: ReturnType<TaskSlot["awaited"]>; readonly isHere: boolean }[] = [];
    const here = this.#options.here();
    let left = limits.messages;
    for (const slot of [...all.filter(({ state }) => state === "held"), ...all.filter(({ state }) => state !== "held")]) {
      if (left === 0) break;
      const known = this.#slots.get(slot) as Set<string>;
      const awaited = slot.awaited();
      const wanted = awaited.filter(({ id }) => !known.has(id)).slice(0, left);
      left -= wanted.length;
      this.#slots.delete(slot);
      // All that it waits for was moved: nothing is left to do.
      if (wanted.length === 0 && slot.state !== "held") continue;
      this.#slots.set(slot, known);
      asked.push({ slot, wanted, isHere: awaited.some(({ id }) => here.has(id)) });
    }
    return asked;
  }

  #tell(text: string, { task, delivery: { id } }: TaskSlot): void {
    const { clock, log } = this.#options;
    const now = clock.now();
    if (now - (this.#told.get(text) ?? -Infinity) < limits.quiet) return;
    this.#told.set(text, now);
    log.warn({ task, id }, `${text}; a task that ends with this.replace(), or a chain, waits for nothing`);
  }
}
