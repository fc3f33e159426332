import type { FailureInfo } from "../../protocol/flow.js";
import type { FlowPosition } from "../../protocol/flow-position.js";
import type { Ending } from "../../bullmq/flows/endings.js";

/**
 * How something came out, for what follows upon it. `value`: JSON. `starts`: nothing came before.
 * `dropped`: what follows is dropped too.
 */
export type FlowEnding =
  | { readonly kind: "value"; readonly value: string }
  | { readonly kind: "starts" }
  | { readonly kind: "dropped" }
  | FailedEnding;

export interface FailedEnding {
  readonly kind: "failed";
  readonly failure: FailureInfo;
  /** The joins before whose groups that happened. */
  readonly joins: ReadonlySet<number>;
  /**
   * The call that failed, and its flow. Absent for a join: then the calls behind it are those that
   * fail.
   */
  readonly by?: { readonly flow: string; readonly call: number };
  /** What error links get instead of `failure`. */
  readonly told?: FailureInfo;
}

export const dropped: FlowEnding = { kind: "dropped" };

const noJoins: ReadonlySet<number> = new Set();

/** A failure before no group. */
export function failedEnding(failure: FailureInfo): FailedEnding {
  return { kind: "failed", failure, joins: noJoins };
}

/** What a call hands on; `undefined` if others run in its place. */
export function flowEndingOf([kind, text]: Ending): FlowEnding | undefined {
  switch (kind) {
    case "value":
      return { kind, value: text };
    case "failure":
      return failedEnding(JSON.parse(text) as FailureInfo);
    case "replaced":
      return undefined;
  }
}

/**
 * `ending` as it is seen at a position: in another flow than that of what failed, the call at that
 * position is the one that failed.
 */
export function endingAt({ flow, call }: FlowPosition, ending: FlowEnding): FlowEnding {
  if (ending.kind !== "failed" || ending.by?.flow === flow) return ending;
  const { failure, told } = ending;
  return { kind: "failed", failure, joins: noJoins, by: { flow, call }, ...(told !== undefined && { told }) };
}
