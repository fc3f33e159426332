import { BullrushError } from "../../error.js";
import type { Mishap } from "../../protocol/flow.js";
import { describeFailure, toFailure, type Failure } from "../../protocol/failure.js";
import type { Origin } from "../../protocol/place.js";
import { encodeRecord } from "../../protocol/record.js";
import type { StoreRequest } from "../../ports/result-backend.js";
import { mishapText } from "./endings.js";

/** A lot of what is to fail without having run, as `lua/bullmq/flow/doomed.lua` gives it. An empty list comes as an empty object. */
export interface DoomedLot {
  /** The entry of the list with which it begins. */
  readonly first: string;
  /** Number of calls and joins. */
  readonly units: number;
  /** How long the results are kept, in ms. */
  readonly expires: number;
  /** Reply channel, or "". */
  readonly to: string;
  readonly calls: readonly DoomedCall[] | Nothing;
  /** JSON of the mishaps by their numbers. */
  readonly mishaps: Readonly<Record<string, string>>;
  readonly joins: readonly DoomedJoin[] | Nothing;
}

type Nothing = Readonly<Record<string, never>>;

interface DoomedCall {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly standsFor?: readonly Origin[];
  /** Number of its mishap. */
  readonly mishap: string;
}

/** A join that fails, and does not know in which words. */
interface DoomedJoin {
  readonly number: number;
  /** Of its group. */
  readonly id: string;
  readonly size: number;
  /** How many of its members failed; 0 if it is only that their values are too long. */
  readonly failed: number;
  /** The mishaps of the first of these, JSON. */
  readonly named: readonly string[] | Nothing;
  readonly bytes: number;
  readonly limit: number;
}

/** Delivery with which a record is stored of what does not run: wins over any claim. */
export const fence = Number.MAX_SAFE_INTEGER;

/** The records that are to be stored before a lot fails. */
export function recordsOf({ calls, mishaps, expires, to }: DoomedLot, endedAt: number): readonly StoreRequest[] {
  return listOf(calls).flatMap(({ mishap, ...call }) => {
    const { state, failure, reason, ...origin } = JSON.parse(mishaps[mishap] ?? "") as Mishap;
    return recordsFor(call, (task) => encodeRecord({ state, delivery: 0, failure, reason, task, queue: call.queue, endedAt, origin }), {
      expires,
      to,
    });
  });
}

/** The record of a call that has ended without having run, and those of the tasks that it stands for. */
export function recordsFor(
  { id, task, standsFor = [] }: Pick<DoomedCall, "id" | "task" | "standsFor">,
  recordOf: (task: string) => string,
  { expires, to }: Pick<DoomedLot, "expires" | "to">,
): readonly StoreRequest[] {
  return [{ id, task }, ...standsFor].map((one) => ({
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
    listOf(joins).map((join) => [join.number, mishapText({ id: join.id, task: "group", state: "FAILURE", failure: failureOf(join) })]),
  );
}

/** Longest description of a member in an error, in characters. */
const longest = 200;

function failureOf({ size, failed, named, bytes, limit }: DoomedJoin): Failure {
  if (failed === 0) {
    const { stack: _, ...failure } = toFailure(
      new BullrushError("PAYLOAD_TOO_LARGE", { what: `the results of ${size} members`, bytes, limit }),
    );
    return failure;
  }
  const mishaps = listOf(named).map((text) => JSON.parse(text) as Mishap);
  const { code, message } = new BullrushError("CHORD_FAILED", { failed, size, members: mishaps.map(describe) });
  const cause = mishaps[0]?.failure;
  return { name: "ChordError", code, message, ...(cause !== undefined && { cause }) };
}

function describe({ id, task, state, failure, reason = "no reason given" }: Mishap): string {
  const text = state === "REVOKED" || failure === undefined ? `was revoked: ${reason}` : `failed: ${describeFailure(failure)}`;
  return `${task}[${id}] ${text.slice(0, longest)}`;
}

function listOf<T>(list: readonly T[] | Nothing): readonly T[] {
  return Array.isArray(list) ? (list as readonly T[]) : [];
}
