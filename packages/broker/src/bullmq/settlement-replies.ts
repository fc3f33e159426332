import type { Refusal } from "../errors/refusal-code.js";
import type { SettledAndTaken } from "../ports/consumer.js";
import { isFaultOf } from "../ports/is-fault-of.js";
import type { Settled, Settlement } from "../ports/settlement.js";
import { refusalIn } from "../redis/refusal.js";
import type { ExchangeReply } from "./exchange-reply.js";

export interface SentSettlements {
  readonly settle: readonly Settlement[];
  /** Those that the script got, in its order. */
  readonly sent: readonly Settlement[];
  /** Whether an earlier try may have settled what is no longer on loan. */
  readonly repeated: boolean;
  /** What the script got for a settlement. */
  readonly current: (settlement: Settlement) => Settlement;
}

/** What became of the settlements of one call. A call that repeats some of them may change it. */
export class SettlementReplies {
  readonly #settle: readonly Settlement[];
  readonly #settled: Map<Settlement, Settled>;
  readonly #refusals = new Map<Settlement, Refusal>();
  /** Refusals that are no fault of what was settled: the worker has lost a right, say. */
  readonly refusedElsewhere: readonly Refusal[];

  /**
   * @param wrong pairs of a settlement's number, from 1, and why it was refused, or a number if its
   * lease was lost
   */
  constructor(wrong: ExchangeReply[0], { settle, sent, repeated, current }: SentSettlements) {
    const lost = new Set<Settlement>();
    const refused = new Map<Settlement, Refusal>();
    for (let at = 0; at < wrong.length; at += 2) {
      const settlement = sent[Number(wrong[at]) - 1] as Settlement;
      const reply = wrong[at + 1];
      if (typeof reply === "string") refused.set(settlement, refusalIn(reply));
      else lost.add(settlement);
    }
    this.#settle = settle;
    this.#settled = new Map(
      settle.map((settlement): [Settlement, Settled] => {
        const refusal = refused.get(current(settlement));
        if (refusal !== undefined) this.#refusals.set(settlement, refusal);
        return [settlement, refusal !== undefined ? "again" : lost.has(current(settlement)) && !repeated ? "lost" : "settled"];
      }),
    );
    this.refusedElsewhere = Array.from(refused).flatMap(([{ delivery }, refusal]) => (isFaultOf(delivery, refusal) ? [] : [refusal]));
  }

  /** Those whose leases were lost. */
  get lost(): readonly Settlement[] {
    return this.#settle.filter((settlement) => this.#settled.get(settlement) === "lost");
  }

  /** Notes what became of `some`, which were settled in a call of their own. */
  repeated(some: readonly Settlement[], { settled, refusals }: Pick<SettledAndTaken, "settled" | "refusals">): void {
    some.forEach((settlement, index) => {
      this.#settled.set(settlement, settled[index] as Settled);
      const refusal = refusals?.[index];
      if (refusal !== undefined) this.#refusals.set(settlement, refusal);
    });
  }

  /** What became of each settlement, in their order. */
  result(): Pick<SettledAndTaken, "settled" | "refusals"> {
    return {
      settled: this.#settle.map((settlement) => this.#settled.get(settlement) as Settled),
      ...(this.#refusals.size > 0 && { refusals: this.#settle.map((settlement) => this.#refusals.get(settlement)) }),
    };
  }
}
