import { isFaultOf, type Refusal, type Settlement } from "@bullrush/broker";

/** How often a settlement may be refused because of what it is. */
const maxRefused = 5;

/** Longest reason that is shown, in characters. */
const maxReason = 200;

/** What is to be done with a settlement that was refused. */
export type Verdict = "again" | "give up";

/** Counts how often settlements were refused. What Redis refuses for want of memory, rights or a primary is not their fault, and is not counted. */
export class Refusals {
  readonly #counts = new WeakMap<Settlement, number>();
  /** Those that are sent by themselves, so that they hold up no others. */
  readonly #apart = new WeakSet<Settlement>();

  /** @param refusal why; `undefined` if that is not known: then it is tried for ever */
  refused(settlement: Settlement, refusal: Refusal | undefined): { readonly verdict: Verdict; readonly times: number } {
    this.#apart.add(settlement);
    const counts = refusal !== undefined && isFaultOf(settlement.delivery, refusal);
    const times = (this.#counts.get(settlement) ?? 0) + (counts ? 1 : 0);
    this.#counts.set(settlement, times);
    return { verdict: times >= maxRefused ? "give up" : "again", times };
  }

  /** Each of these is sent by itself from now on: one of them, nobody knows which, has a call refused. */
  suspect(settlements: readonly Settlement[]): void {
    for (const settlement of settlements) this.#apart.add(settlement);
  }

  isApart(settlement: Settlement): boolean {
    return this.#apart.has(settlement);
  }
}

/** `text` on one line, cut to what is shown. */
export function shortened(text: string): string {
  return text.replace(/\s+/g, " ").slice(0, maxReason);
}
