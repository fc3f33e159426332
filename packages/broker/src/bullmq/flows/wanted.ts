import { BullrushError } from "../../error.js";
import type { Mishap } from "../../protocol/flow.js";
import { describeFailure, toFailure, type Failure } from "../../protocol/failure.js";
import { encodeRecord } from "../../protocol/record.js";
import type { StoreRequest } from "../../ports/result-backend.js";
import { mishapText } from "./endings.js";

/** What a flow wants before it goes on, as `lua/bullmq/flow/following.lua` says it. An empty list comes as an empty object. */
export interface Wanted {
  readonly doomed: readonly Doomed[] | Readonly<Record<string, never>>;
  readonly missing: readonly Missing[] | Readonly<Record<string, never>>;
}

/** A call that does not run, because what it needs has failed. */
interface Doomed {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  readonly standsFor?: readonly string[];
  /** JSON. */
  readonly mishap: string;
  /** In ms. */
  readonly expires: string;
  /** Reply channel, or "". */
  readonly to: string;
}

/** A join that fails, and does not know in which words. */
interface Missing {
  /** Flow and number. */
  readonly join: string;
  /** Of its group. */
  readonly id: string;
  readonly size: number;
  /** How many of its members failed; 0 if their values are too long. */
  readonly failed: number;
  /** The mishaps of the first of these, JSON. */
  readonly named: readonly string[] | Readonly<Record<string, never>>;
  readonly bytes: number;
  readonly limit: number;
}

/** What a flow was given of what it wants. */
export interface Known {
  /** Ids of the calls whose records are stored. */
  readonly stored: Readonly<Record<string, true>>;
  /** JSON of the mishaps of joins. */
  readonly mishaps: Readonly<Record<string, string>>;
}

export const nothingKnown: Known = { stored: {}, mishaps: {} };

/** Delivery with which a record is stored of what does not run: wins over any claim. */
export const fence = Number.MAX_SAFE_INTEGER;

/** The records that are to be stored. */
export function recordsFor({ doomed }: Wanted, endedAt: number): readonly StoreRequest[] {
  return listOf(doomed).flatMap(({ id, task, queue, standsFor = [], mishap, expires, to }) => {
    const { state, failure, reason, ...origin } = JSON.parse(mishap) as Mishap;
    const record = encodeRecord({ state, delivery: 0, failure, reason, task, queue, endedAt, origin });
    return [id, ...standsFor].map((one) => ({
      id: one,
      delivery: fence,
      expires: Number(expires),
      ...(to !== "" && { replyTo: to }),
      record,
    }));
  });
}

/** What is known when the records are stored. */
export function knownWith(known: Known, { doomed, missing }: Wanted): Known {
  return {
    stored: { ...known.stored, ...Object.fromEntries(listOf(doomed).map(({ id }) => [id, true as const])) },
    mishaps: { ...known.mishaps, ...Object.fromEntries(listOf(missing).map((join) => [join.join, mishapOf(join)])) },
  };
}

function mishapOf(missing: Missing): string {
  return mishapText({ id: missing.id, task: "group", state: "FAILURE", failure: failureOf(missing) });
}

/** Most members that an error names, and the longest description of each, in characters. */
const most = { named: 10, described: 200 };

function failureOf({ size, failed, named, bytes, limit }: Missing): Failure {
  if (failed === 0) {
    const { stack: _, ...failure } = toFailure(
      new BullrushError("PAYLOAD_TOO_LARGE", { what: `the results of ${size} members`, bytes, limit }),
    );
    return failure;
  }
  const mishaps = listOf(named).map((text) => JSON.parse(text) as Mishap);
  const error = new BullrushError("CHORD_FAILED", { failed, size, members: mishaps.slice(0, most.named).map(describe) });
  const cause = mishaps[0]?.failure;
  return { name: "ChordError", code: error.code, message: error.message, ...(cause !== undefined && { cause }) };
}

function describe({ id, task, failure, reason = "no reason given" }: Mishap): string {
  const text = failure === undefined ? `was revoked: ${reason}` : `failed: ${describeFailure(failure)}`;
  return `${task}[${id}] ${text.slice(0, most.described)}`;
}

function listOf<T>(list: readonly T[] | Readonly<Record<string, never>>): readonly T[] {
  return Array.isArray(list) ? (list as readonly T[]) : [];
}
