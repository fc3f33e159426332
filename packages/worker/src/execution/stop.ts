/** The wish that a task end. Its signal is made when it is first looked at: most tasks never do, and an AbortController costs more than a small task. */
export class Stop {
  #reason: Error | undefined;
  #controller: AbortController | undefined;

  get requested(): boolean {
    return this.#reason !== undefined;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** Aborts the signal with `reason`; only the first one counts. */
  request(reason: Error): void {
    this.#reason ??= reason;
    this.#controller?.abort(this.#reason);
  }
}
