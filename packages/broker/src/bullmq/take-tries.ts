import type { TakeWatch } from "../ports/consumer.js";
import type { LostTakes } from "./lost-takes.js";
import type { Look, QueueAvailability } from "./queue-availability.js";

export interface TakeTriesOptions {
  /** What the tokens of all tries start with. */
  readonly token: string;
  readonly take: number;
  readonly lostTakes: LostTakes;
  readonly availability: QueueAvailability;
  readonly watch: TakeWatch | undefined;
}

/**
 * The tries of one call that takes messages. Each try has tokens of its own: what an earlier one
 * took was delivered to nobody.
 */
export class TakeTries {
  readonly #options: TakeTriesOptions;
  #count = 0;
  #token = "";
  #look: Look;
  #watched: number | undefined;

  constructor(options: TakeTriesOptions) {
    this.#options = options;
    this.#look = options.availability.look([]);
  }

  /** What the tokens of this try start with. */
  get token(): string {
    return this.#token;
  }

  get look(): Look {
    return this.#look;
  }

  /** Whether an earlier try may have been applied. */
  get repeated(): boolean {
    return this.#count > 1;
  }

  /** Begins a try that asks the queues with these numbers. */
  begin(asked: readonly number[]): void {
    const { token, take, watch, availability } = this.#options;
    this.#token = `${token}:${this.#count++}`;
    this.arrived();
    if (take > 0) this.#watched = watch?.begun(this.#token);
    this.#look = availability.look([...new Set(asked.map((number) => Math.abs(number) - 1))]);
  }

  /**
   * Ends the try. Returns whether what it took may run here; else somebody has put it back
   * meanwhile.
   */
  arrived(): boolean {
    const isOurs = this.#watched === undefined || this.#options.watch?.ended(this.#watched) !== false;
    this.#watched = undefined;
    return isOurs;
  }

  /** Notes that nobody has what the last try took. */
  lost(): void {
    const { take, lostTakes, availability } = this.#options;
    if (this.#count === 0 || take === 0) return;
    lostTakes.add(this.#token);
    availability.lost(this.#look);
  }
}
