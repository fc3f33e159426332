import type { Redis } from "ioredis";
import { isTransient, refusalOf } from "../redis/refusal.js";
import { runScript } from "../redis/script.js";
import { engineScript } from "./engine.js";

const script = engineScript("put-back-lost-takes");

/**
 * Calls that may have taken messages and whose replies were lost, so that nobody runs the messages.
 */
export class LostTakes {
  readonly #prefixes: readonly string[];
  readonly #tokens = new Set<string>();

  /** @param prefixes what the keys of each queue start with */
  constructor(prefixes: readonly string[]) {
    this.#prefixes = prefixes;
  }

  get empty(): boolean {
    return this.#tokens.size === 0;
  }

  /** @param token what the tokens of the call start with */
  add(token: string): void {
    this.#tokens.add(`${token}:`);
  }

  /**
   * Puts the taken messages back, so that they come again before their leases run out, and not as
   * crashes. What Redis refuses for good is left to the leases, as is what a late call takes.
   * Rejects if it may be tried again.
   */
  async putBack(client: Redis): Promise<void> {
    const tokens = [...this.#tokens];
    try {
      await runScript(client, script, this.#prefixes, tokens);
    } catch (error) {
      if (isTransient(refusalOf(error))) throw error;
    }
    for (const token of tokens) this.#tokens.delete(token);
  }
}
