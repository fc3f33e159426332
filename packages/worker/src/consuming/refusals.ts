import { isFaultOf, type Settlement } from "@bullrush/broker";

/** How often a settlement may be refused for what it is itself. */
const mostRefused = 5;

/** Longest reason that is told, in characters. */
const longest = 200;

/** What is to be done with a settlement that was refused. */
export type Verdict = "again" | "give up";

/** Counts how often settlements were refused. What Redis refuses for want of memory, rights or a primary is not their fault, and is not counted. */
export class Refusals {
  readonly #counts = new WeakMap<Settlement, number>();
  /** Those that are sent by themselves, so that they hold up no others. */
  readonly #apart = new WeakSet<Settlement>();

  /** @param reason absent if nobody knows: then it is tried for ever */
  refused(settlement: Settlement, reason: string | undefined): { readonly verdict: Verdict; readonly times: number } {
    this.#apart.add(settlement);
    const counts = reason !== undefined && isFaultOf(settlement.delivery, reason);
    const times = (this.#counts.get(settlement) ?? 0) + (counts ? 1 : 0);
    this.#counts.set(settlement, times);
    return { verdict: times >= mostRefused ? "give up" : "again", times };
  }

  /** Each of these is sent by itself from now on: one of them, nobody knows which, has a call refused. */
  suspect(settlements: readonly Settlement[]): void {
    for (const settlement of settlements) this.#apart.add(settlement);
  }

  isApart(settlement: Settlement): boolean {
    return this.#apart.has(settlement);
  }
}

/** What a refused call says, short and on one line. */
export function reasonOf(error: unknown): string {
  const details: unknown = error instanceof Error && "details" in error ? error.details : undefined;
  const isTold = typeof details === "object" && details !== null && "reason" in details && typeof details.reason === "string";
  const text = isTold ? (details as { readonly reason: string }).reason : error instanceof Error ? error.message : "unknown";
  return shortened(text);
}

export function shortened(text: string): string {
  return text.replace(/\s+/g, " ").slice(0, longest);
}
