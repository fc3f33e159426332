import type { Clock } from "@bullrush/broker";

/** The time of the server, kept with a steady clock from one answer to the next, so that jumps of this machine's clock do not matter. */
export class ServerTime {
  readonly #steady: Clock;
  #ahead: number | undefined;

  constructor(steady: Clock) {
    this.#steady = steady;
  }

  /** In ms since the epoch; before anything was heard, 0. */
  now(): number {
    return this.#ahead === undefined ? 0 : this.#steady.now() + this.#ahead;
  }

  /**
   * Hears that it was `now` at the server, between `asked`, by the steady clock, and this moment. Gives by how many ms its clock has jumped
   * meanwhile, forwards or, below 0, backwards: what the way there and back may have taken is not counted.
   */
  heard(now: number, asked: number): number {
    const way = (this.#steady.now() - asked) / 2;
    const jumped = this.#ahead === undefined ? 0 : now - (asked + way + this.#ahead);
    this.#ahead = now - (asked + way);
    return Math.sign(jumped) * Math.max(0, Math.abs(jumped) - way);
  }
}
