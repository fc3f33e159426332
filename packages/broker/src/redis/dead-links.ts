/**
 * What the connections of one app tell each other: that a link has died without a word. What drops
 * one silently, a proxy or a firewall, is likely to have dropped the others too, and an idle one
 * would not notice before its next call, nor one that only listens before its next check.
 */
export class DeadLinks {
  readonly #listeners = new Set<() => void>();

  /**
   * Calls `listener` whenever the link of another connection has died, until the returned function
   * is called.
   */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Tells all listeners but `own` that a link has died. */
  tell(own: () => void): void {
    for (const listener of this.#listeners) if (listener !== own) listener();
  }
}
