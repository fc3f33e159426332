/** Keeps a failing operation from being tried in a hot loop: each failure in a row doubles the pause, from 100 ms to 5 s. */
export class Breaker {
  #failures = 0;
  #openUntil = 0;

  /** Ms until the next try may be made; 0 when it may be made now. */
  pause(now: number): number {
    return Math.max(0, this.#openUntil - now);
  }

  failed(now: number): void {
    this.#openUntil = now + Math.min(5000, 100 * 2 ** Math.min(this.#failures, 10));
    this.#failures++;
  }

  succeeded(): void {
    this.#failures = 0;
    this.#openUntil = 0;
  }
}
