import { ownFaultIn } from "../errors/refusal.js";
import type { SettledAndTaken } from "../ports/consumer.js";
import type { Settlement } from "../ports/settlement.js";
import type { Continuations } from "./flows/continuations.js";
import { lateSuccesses } from "./late-successes.js";
import type { ResultStore } from "./result-store.js";
import type { SettlementReplies } from "./settlement-replies.js";
import type { StoredAhead } from "./stored-ahead.js";

export interface SettleAgainOptions {
  readonly results: ResultStore;
  readonly continuations: Continuations;
  readonly stored: StoredAhead;
  /**
   * Settles `settlements` in a call of their own. `late`: these are successes whose leases had run
   * out.
   */
  readonly settle: (settlements: readonly Settlement[], late: boolean) => Promise<SettledAndTaken>;
  /** Is called with the reason of each failure. */
  readonly onConnectionError?: (reason: string) => void;
}

/**
 * Settles again what one call could not settle, and notes in its replies what became of it. Never
 * rejects.
 */
export class SettleAgain {
  readonly #options: SettleAgainOptions;

  constructor(options: SettleAgainOptions) {
    this.#options = options;
  }

  /** Settles `held`, for which another result had been stored, with that result. */
  async held(held: readonly Settlement[], replies: SettlementReplies): Promise<void> {
    if (held.length === 0) return;
    const { continuations, stored, settle } = this.#options;
    stored.add(held);
    try {
      await continuations.supersede(held);
      replies.repeated(held, await settle(held, false));
    } catch (error) {
      const refusal = ownFaultIn(error);
      replies.repeated(held, { settled: held.map(() => "again"), ...(refusal && { refusals: held.map(() => refusal) }) });
      this.#failed(error);
    }
  }

  /** Settles successes of `lost`, whose leases had run out, if they count all the same. */
  async late(lost: readonly Settlement[], replies: SettlementReplies): Promise<void> {
    if (lost.length === 0) return;
    const { results, stored, settle } = this.#options;
    try {
      const late = await lateSuccesses(lost, results);
      if (late.length === 0) return;
      stored.add(late);
      replies.repeated(late, await settle(late, true));
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    this.#options.onConnectionError?.(error instanceof Error ? error.message : String(error));
  }
}
