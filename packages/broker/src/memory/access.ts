import { BullrushError } from "../error.js";

/** What an engine that is open does. Closed, it rejects all calls. */
export class Access {
  readonly #url: string;
  #isClosed = false;

  /** @param url of the space, for errors */
  constructor(url: string) {
    this.#url = url;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  close(): void {
    this.#isClosed = true;
  }

  /** Resolves with what `f` returns. Rejects with `BROKER_UNAVAILABLE` once it is closed. */
  async broker<T>(action: string, f: () => T): Promise<T> {
    if (this.#isClosed) throw this.unavailable(action);
    return f();
  }

  /**
   * Resolves with what `f` returns. Rejects with `RESULT_BACKEND_UNAVAILABLE` once it is closed.
   */
  async results<T>(action: string, f: () => T): Promise<T> {
    if (this.#isClosed) throw new BullrushError("RESULT_BACKEND_UNAVAILABLE", this.#details(action));
    return f();
  }

  unavailable(action: string): BullrushError {
    return new BullrushError("BROKER_UNAVAILABLE", this.#details(action));
  }

  #details(action: string) {
    return { url: this.#url, action, deadline: 0, reason: "it is closed", refused: true };
  }
}
