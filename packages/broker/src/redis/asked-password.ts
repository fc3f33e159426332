import { withTimeout } from "../time/with-timeout.js";

/**
 * Gives the password that is good now: a token that lasts minutes, say. It is called each time that
 * a connection is made, and has 5 s.
 */
export type PasswordFunction = () => string | Promise<string>;

/** How long a password may be awaited, in ms. */
const patience = 5000;

/** A password that is asked for at each connect. */
export class AskedPassword {
  readonly #ask: PasswordFunction;
  readonly #listeners = new Set<() => void>();
  #last: string | undefined;

  constructor(ask: PasswordFunction) {
    this.#ask = ask;
  }

  /** What was answered last; `undefined` before the first answer. */
  get last(): string | undefined {
    return this.#last;
  }

  /**
   * Asks anew. Rejects with what the function throws, after 5 s without an answer, for an answer
   * that is no password, and when `closing` is aborted.
   */
  async next(closing: AbortSignal): Promise<string> {
    let onAbort = () => {};
    const closed = new Promise<never>((_, reject) => {
      onAbort = () => reject(new Error("the connection is closed"));
    });
    closing.addEventListener("abort", onAbort);
    try {
      const asked = Promise.race([Promise.resolve().then(this.#ask), closed]);
      return this.#keep(
        await withTimeout<unknown>(asked, patience, () => {
          throw new Error(`the password function has not answered for ${patience} ms`);
        }),
      );
    } finally {
      closing.removeEventListener("abort", onAbort);
    }
  }

  /**
   * Calls `listener` when an answer differs from the one before; call the returned function to
   * stop.
   */
  listen(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  #keep(answer: unknown): string {
    if (typeof answer !== "string" || answer === "") throw new Error("the password function gave no text");
    if (answer !== this.#last) {
      this.#last = answer;
      for (const listener of this.#listeners) listener();
    }
    return answer;
  }
}
