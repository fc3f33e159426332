import type { Settlement } from "../ports/settlement.js";
import type { ResultStore } from "./result-store.js";

/**
 * The settlements of `lost` that count all the same: their leases had run out, but they came to success, and no other end of their tasks is stored. The work is done, so whoever has
 * the message by now need not do it again. Rejects when the result backend cannot be read.
 */
export async function lateSuccesses(lost: readonly Settlement[], results: ResultStore): Promise<readonly Settlement[]> {
  const late = lost.filter(({ delivery, outcome }) => outcome.type === "succeeded" && delivery.content.type === "message");
  const stored = late.filter(({ store }) => store !== undefined);
  const records = await results.read(stored.map(({ delivery }) => delivery.id));
  const stands = new Set(
    stored.filter(({ delivery }, index) => records[index]?.state === "SUCCESS" && records[index].delivery === delivery.number),
  );
  return late.filter((settlement) => settlement.store === undefined || stands.has(settlement));
}
