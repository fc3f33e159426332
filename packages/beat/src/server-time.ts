import type { Clock } from "@bullrush/broker";
import type { Jump } from "./scheduler.js";

/** Minimum change of a clock difference that counts as a jump, in ms. */
const tolerance = 1000;

/**
 * Maximum time between two comparisons of the clocks, in ms. After a longer time they may have
 * drifted apart.
 */
const longest = 10 * 60 * 1000;

/**
 * The server's time, continued by the monotonic clock between two answers, so that jumps of this
 * machine's clock do not matter.
 */
export class ServerTime {
  readonly #steady: Clock;
  #known: { readonly ahead: number; readonly at: number } | undefined;
  #jump: Jump | undefined;

  constructor(steady: Clock) {
    this.#steady = steady;
  }

  /** In ms since the epoch; 0 before the first answer. */
  now(): number {
    return this.#known === undefined ? 0 : this.#steady.now() + this.#known.ahead;
  }

  /** The last forward jump of the server's clock, unless it went back since. */
  get jump(): Jump | undefined {
    return this.#jump;
  }

  /**
   * Takes an answer: the server's time was `now`, between `asked`, on the monotonic clock, and this
   * moment. Returns by how many ms the server's clock has jumped meanwhile, negative for backwards,
   * if by more than 1 s. The round trip is not counted.
   */
  update(now: number, asked: number): number {
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
