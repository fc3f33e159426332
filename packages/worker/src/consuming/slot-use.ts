import type { SlotUse } from "../service/held-slots.js";
import type { DeliveryTable } from "./delivery-table.js";

/** What has the slots at `now`. `regainedAt` is when a task last got back one that it had lent. */
export function slotUse(table: Pick<DeliveryTable, "in">, concurrency: number, regainedAt: number, now: number): SlotUse {
  const holders = table
    .in("running")
    .filter(({ isLent }) => !isLent)
    .map(({ delivery, startedAt = now }) => ({ delivery, startedAt }));
  const since = holders.reduce((latest, { startedAt }) => Math.max(latest, startedAt), regainedAt);
  return { isFull: holders.length >= concurrency, since, holders };
}
