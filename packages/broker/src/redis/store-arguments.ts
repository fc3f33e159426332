import { groupBy } from "./group-by.js";
import type { StoreRequest } from "../ports/results.js";

/**
 * Records as `lua/parts/store-records.lua` reads them: in groups of one channel and one lifetime.
 */
export interface StoreArguments {
  readonly groups: number;
  readonly args: readonly (string | number)[];
  /** The records in the order in which they stand in `args`. */
  readonly order: readonly StoreRequest[];
}

export function storeArguments(records: readonly StoreRequest[]): StoreArguments {
  const groups = groupBy(records, ({ replyTo = "", expires }) => `${expires} ${replyTo}`);
  const args: (string | number)[] = [];
  for (const group of groups) {
    const [{ replyTo = "", expires }] = group;
    args.push(replyTo, expires, group.length);
    for (const { id, delivery, record } of group) args.push(id, delivery, record);
  }
  return { groups: groups.length, args, order: groups.flat() };
}
