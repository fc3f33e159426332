import type { Clock } from "@bullrush/broker";
import type { Jump } from "./scheduler.js";

/** A difference of clocks that is a jump, in ms. */
const tolerance = 1000;

/** Two clocks that were not compared for so long may have drifted apart, in ms. */
const longest = 10 * 60 * 1000;

/** The time of the server, kept with a steady clock from one answer to the next, so that jumps of this machine's clock do not matter. */
export class ServerTime {
  readonly #steady: Clock;
  #known: { readonly ahead: number; readonly at: number } | undefined;
  #jump: Jump | undefined;

  constructor(steady: Clock) {
    this.#steady = steady;
  }

  /** In ms since the epoch; before anything was heard, 0. */
  now(): number {
    return this.#known === undefined ? 0 : this.#steady.now() + this.#known.ahead;
  }

  /** The last jump of its clock forwards, unless it went back since. */
  get jump(): Jump | undefined {
    return this.#jump;
  }

  /**
   * Hears that it was `now` at the server, between `asked`, by the steady clock, and this moment. Gives by how many ms its clock has jumped
   * meanwhile, forwards or, below 0, backwards, if by more than 1 s: what the way there and back may have taken is not counted.
   */
  heard(now: number, asked: number): number {
    const at = this.#steady.now();
    const way = (at - asked) / 2;
    const jumped = this.#jumped(now, asked + way, way);
    if (jumped > 0) this.#jump = { from: now - jumped, to: now };
    if (jumped < 0) this.#jump = undefined;
    this.#known = { ahead: now - (asked + way), at };
    return jumped;
  }

  #jumped(now: number, middle: number, way: number): number {
    if (this.#known === undefined) return 0;
    const by = now - (middle + this.#known.ahead);
    if (Math.abs(by) - way <= tolerance) return 0;
    if (by < 0) return by + way;
    return middle - this.#known.at > longest ? 0 : by - way;
  }
}
