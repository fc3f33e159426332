import type { FailureInfo } from "../../protocol/flow.js";
import { groupFailure } from "../../protocol/group-failure.js";
import type { RunningJoin, Slot } from "./running-flow.js";

/**
 * How a join comes out whose slots are all filled. `before`: what failed stands before the group,
 * and none of its members has run.
 */
export type JoinOutcome = { readonly value: string } | { readonly before: FailureInfo } | { readonly failure: FailureInfo };

/** Most members that an error names. */
const maxNamed = 10;

/** @param maxBytes longest value that is passed on */
export function joinOutcome(join: RunningJoin, maxBytes: number): JoinOutcome {
  const slots = Array.from({ length: join.size }, (_, number) => join.slots.get(number) as Slot);
  const failed = slots.flatMap((slot) => ("failure" in slot ? [slot] : []));
  const last = failed.at(-1);
  if (last !== undefined && failed.length === join.size && failed.every(({ isBefore }) => isBefore)) return { before: last.failure };
  if ((failed.length === 0 || join.isPartial) && join.bytes <= maxBytes) {
    return { value: `[${slots.map((slot) => ("value" in slot ? slot.value : "null")).join()}]` };
  }
  const facts = {
    size: join.size,
    failed: join.isPartial ? 0 : failed.length,
    named: failed.slice(0, maxNamed).map(({ failure }) => failure),
    bytes: join.bytes,
    limit: maxBytes,
  };
  return { failure: { id: join.id, task: "group", state: "FAILURE", failure: groupFailure(facts) } };
}
