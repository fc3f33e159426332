import { BullrushError } from "../error.js";
import { counted } from "../words.js";
import { describeFailure, type Failure } from "./failure.js";
import type { FailureInfo } from "./flow.js";
import { toFailure } from "./to-failure.js";

/** What is known of a group that has no value. */
export interface GroupFacts {
  readonly size: number;
  /** How many of its members failed; 0 if it is only that their values are too long together. */
  readonly failed: number;
  /** Why the first of these failed. */
  readonly named: readonly FailureInfo[];
  /** Length of its values as one array, and the longest one that is passed on. */
  readonly bytes: number;
  readonly limit: number;
}

/** Longest description of a member in an error, in characters. */
const longest = 200;

/**
 * Why a group has no value: `CHORD_FAILED` with the failure of its first failed member as the
 * cause, or `PAYLOAD_TOO_LARGE`.
 */
export function groupFailure({ size, failed, named, bytes, limit }: GroupFacts): Failure {
  if (failed === 0) {
    const { stack: _, ...failure } = toFailure(
      new BullrushError("PAYLOAD_TOO_LARGE", { what: `the results of ${counted(size, "member")}`, bytes, limit }),
    );
    return failure;
  }
  const { code, message } = new BullrushError("CHORD_FAILED", { failed, size, members: named.map(describe) });
  const cause = named[0]?.failure;
  return { name: "ChordError", code, message, ...(cause !== undefined && { cause }) };
}

function describe({ id, task, state, failure, reason = "no reason given" }: FailureInfo): string {
  const text = state === "REVOKED" || failure === undefined ? `was revoked: ${reason}` : `failed: ${describeFailure(failure)}`;
  return `${task}[${id}] ${text.slice(0, longest)}`;
}
