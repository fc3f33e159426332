import type { Failure } from "../../protocol/failure.js";
import { groupFailure } from "../../protocol/group-failure.js";
import { encodeRecord } from "../../protocol/record.js";
import type { StoreRequest } from "../../ports/results.js";
import { failureInfoText } from "./endings.js";
import { readFailureInfo, type CascadeCall, type CascadeJoin, type CascadeBatch, type Nothing } from "./stored-flow.js";

/** Delivery with which a record is stored of what does not run: wins over any claim. */
export const fence = Number.MAX_SAFE_INTEGER;

/** The records that are to be stored before a batch fails. */
export function recordsOf({ calls, failures, expires, replyTo }: CascadeBatch, endedAt: number): readonly StoreRequest[] {
  return calls.flatMap(({ failure: number, ...call }) => {
    const { state, failure, reason, id, task: failed } = failures.get(number) ?? readFailureInfo(undefined);
    const recordOf = (task: string) =>
      encodeRecord({ state, delivery: 0, failure, reason, task, queue: call.queue, endedAt, origin: { id, task: failed } });
    return recordsFor(call, recordOf, { expires, replyTo });
  });
}

/** The record of a call that has ended without having run, and those of the tasks that it stands for. */
export function recordsFor(
  { id, task, replaces }: Pick<CascadeCall, "id" | "task" | "replaces">,
  recordOf: (task: string) => string,
  { expires, replyTo }: Pick<CascadeBatch, "expires" | "replyTo">,
): readonly StoreRequest[] {
  return [{ id, task }, ...listOf(replaces)].map((one) => ({
    id: one.id,
    delivery: fence,
    expires,
    ...(replyTo !== "" && { replyTo }),
    record: recordOf(one.task),
  }));
}

/** The words in which joins fail, by their numbers: JSON of failures. */
export function wordsFor({ joins }: CascadeBatch): Readonly<Record<number, string>> {
  return Object.fromEntries(
    joins.map((join) => [join.number, failureInfoText({ id: join.id, task: "group", state: "FAILURE", failure: groupFailureOf(join) })]),
  );
}

function groupFailureOf({ named, maxBytes, ...join }: CascadeJoin): Failure {
  return groupFailure({ ...join, limit: maxBytes, named: listOf(named).map(readFailureInfo) });
}

/** A list as Lua encodes it: one of none is an empty object. */
function listOf<T>(list: readonly T[] | Nothing | undefined): readonly T[] {
  return Array.isArray(list) ? (list as readonly T[]) : [];
}
