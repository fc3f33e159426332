import { recordsFor } from "../../bullmq/flows/cascade.js";
import type { StoreRequest } from "../../ports/results.js";
import type { FailureInfo } from "../../protocol/flow.js";
import { encodeRecord } from "../../protocol/record.js";
import type { FailedEnding } from "./flow-ending.js";
import type { RunningCall, RunningFlow } from "./running-flow.js";

/**
 * The records of a call that fails without having run, and of the tasks that it stands for.
 * @param now when it fails, in ms since the epoch
 */
export function recordsOfCall(flow: RunningFlow, call: RunningCall, info: FailureInfo, now: number): readonly StoreRequest[] {
  const { state, failure, reason, id, task: failed } = info;
  const { queue } = call;
  const recordOf = (task: string) =>
    encodeRecord({ state, delivery: 0, failure, reason, task, queue, endedAt: now, origin: { id, task: failed } });
  return recordsFor(call.message, recordOf, { expires: flow.expires, replyTo: flow.replyTo });
}

/**
 * How a call comes out that fails without having run, because of `ending`. Behind a group that
 * failed, it is the one that fails for error links.
 */
export function endingOfCall({ id }: RunningFlow, { number, message, startsMembersOf }: RunningCall, ending: FailedEnding): FailedEnding {
  const { failure, joins, by } = ending;
  const told = by === undefined ? toldOf(failure, message.replaces?.[0] ?? message) : ending.told;
  return {
    kind: "failed",
    failure,
    joins: new Set([...joins, ...startsMembersOf]),
    by: { flow: id, call: by?.call ?? number },
    ...(told !== undefined && { told }),
  };
}

/** The failure of a group, told of the task behind it. */
function toldOf(failure: FailureInfo, { id, task }: Pick<FailureInfo, "id" | "task">): FailureInfo | undefined {
  return failure.task === "group" ? { ...failure, id, task } : undefined;
}
