import { BullrushError } from "../../error.js";
import type { FailureInfo } from "../../protocol/flow.js";
import { describeFailure, type Failure } from "../../protocol/failure.js";
import { toFailure } from "../../protocol/to-failure.js";
import { encodeRecord } from "../../protocol/record.js";
import type { StoreRequest } from "../../ports/results.js";
import { failureInfoText } from "./endings.js";
import { readFailureInfo, type DoomedCall, type DoomedJoin, type DoomedLot, type Nothing } from "./stored-flow.js";
import { counted } from "../../words.js";

/** Delivery with which a record is stored of what does not run: wins over any claim. */
export const fence = Number.MAX_SAFE_INTEGER;

/** The records that are to be stored before a lot fails. */
export function recordsOf({ calls, mishaps, expires, to }: DoomedLot, endedAt: number): readonly StoreRequest[] {
  return calls.flatMap(({ mishap, ...call }) => {
    const { state, failure, reason, id, task: failed } = mishaps.get(mishap) ?? readFailureInfo(undefined);
    const recordOf = (task: string) =>
      encodeRecord({ state, delivery: 0, failure, reason, task, queue: call.queue, endedAt, origin: { id, task: failed } });
    return recordsFor(call, recordOf, { expires, to });
  });
}

/** The record of a call that has ended without having run, and those of the tasks that it stands for. */
export function recordsFor(
  { id, task, standsFor }: Pick<DoomedCall, "id" | "task" | "standsFor">,
  recordOf: (task: string) => string,
  { expires, to }: Pick<DoomedLot, "expires" | "to">,
): readonly StoreRequest[] {
  return [{ id, task }, ...listOf(standsFor)].map((one) => ({
    id: one.id,
    delivery: fence,
    expires,
    ...(to !== "" && { replyTo: to }),
    record: recordOf(one.task),
  }));
}

/** The words in which joins fail, by their numbers: JSON of mishaps. */
export function wordsFor({ joins }: DoomedLot): Readonly<Record<number, string>> {
  return Object.fromEntries(
    joins.map((join) => [join.number, failureInfoText({ id: join.id, task: "group", state: "FAILURE", failure: failureOf(join) })]),
  );
}

/** Longest description of a member in an error, in characters. */
const longest = 200;

function failureOf({ size, failed, named, bytes, limit }: DoomedJoin): Failure {
  if (failed === 0) {
    const { stack: _, ...failure } = toFailure(
      new BullrushError("PAYLOAD_TOO_LARGE", { what: `the results of ${counted(size, "member")}`, bytes, limit }),
    );
    return failure;
  }
  const mishaps = listOf(named).map(readFailureInfo);
  const { code, message } = new BullrushError("CHORD_FAILED", { failed, size, members: mishaps.map(describe) });
  const cause = mishaps[0]?.failure;
  return { name: "ChordError", code, message, ...(cause !== undefined && { cause }) };
}

function describe({ id, task, state, failure, reason = "no reason given" }: FailureInfo): string {
  const text = state === "REVOKED" || failure === undefined ? `was revoked: ${reason}` : `failed: ${describeFailure(failure)}`;
  return `${task}[${id}] ${text.slice(0, longest)}`;
}

/** A list as Lua encodes it: one of none is an empty object. */
function listOf<T>(list: readonly T[] | Nothing | undefined): readonly T[] {
  return Array.isArray(list) ? (list as readonly T[]) : [];
}
