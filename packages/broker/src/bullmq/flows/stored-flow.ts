import { BullrushError } from "../../error.js";
import { longestDuration } from "../../duration.js";
import { isTaskId } from "../../id.js";
import { clippedFailure, isFailure } from "../../protocol/stored-failure.js";
import type { FailureInfo } from "../../protocol/flow.js";
import { decodeJson } from "../../protocol/json.js";
import { isTaskRef, isFlowPosition, isPosition, type TaskRef } from "../../protocol/flow-position.js";
import { clientOf } from "../../protocol/reply-channel.js";
import type { DescribedCall, Edge } from "./flow-fields.js";

/**
 * Reads what Redis keeps of flows, field by field: whoever may write there may have written anything. Each function throws `DECODE_ERROR` for what
 * none of ours would have written.
 */

/** Ids of calls that follow no rule, by their numbers. */
export type OddIds = ReadonlyMap<number, string>;

/** A list of none, as Lua encodes it. */
export type Nothing = Readonly<Record<string, never>>;

/** A lot of what is to fail without having run. */
export interface DoomedLot {
  /** The entry of the list with which it begins. */
  readonly first: string;
  /** Number of calls and joins. */
  readonly units: number;
  /** How long the results are kept, in ms. */
  readonly expires: number;
  /** Reply channel, or "". */
  readonly to: string;
  readonly calls: readonly DoomedCall[];
  /** The mishaps by their numbers. */
  readonly mishaps: ReadonlyMap<string, FailureInfo>;
  readonly joins: readonly DoomedJoin[];
}

export interface DoomedCall {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  /** None: an empty object. */
  readonly standsFor?: readonly TaskRef[] | Nothing;
  /** Number of its mishap. */
  readonly mishap: string;
}

/** A join that fails, and does not know in which words. */
export interface DoomedJoin {
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

/** How long results of calls are kept whose flow does not say it, in ms: a day. */
const usualLifetime = 24 * 3600 * 1000;

export function readQueues(text: string): readonly string[] {
  return listIn(text, isText, "queues");
}

export function readNumbers(text: string): readonly number[] {
  return listIn(text, isPosition, "numbers of calls");
}

export function readOddIds(text: string): OddIds {
  const value = decoded(text);
  if (!isRecord(value)) refuse("the ids of its calls are not ids");
  const entries = Object.entries(value).map(([number, id]) => [Number(number), id] as const);
  if (!entries.every((entry): entry is [number, string] => isPosition(entry[0]) && isTaskId(entry[1])))
    refuse("the ids of its calls are not ids");
  return new Map(entries);
}

export function readEdges(text: string): readonly Edge[] {
  return listIn(text, isEdge, "ranges of calls");
}

/** What is known of a call that was added; `undefined` for what none of ours would have written. */
export function readAddedCall(text: string): DescribedCall | undefined {
  try {
    const value = decoded(text);
    if (!isRecord(value)) return undefined;
    const { id, task, queue, places } = value;
    return isTaskId(id) && isText(task) && isText(queue) && isListOf(isFlowPosition)(places) ? { id, task, queue, places } : undefined;
  } catch {
    return undefined;
  }
}

/** A lot as `lua/bullmq/flow/read-cascade.lua` gives it. */
export function readLot([first, units, expires, to, text]: readonly [string, number, string | null, string, string]): DoomedLot {
  const found = decoded(text);
  if (!isRecord(found)) refuse("what is to fail is not an object");
  const calls = valuesOf(found["calls"]).filter(isDoomedCall);
  const joins = valuesOf(found["joins"]).filter(isDoomedJoin);
  const mishaps = isRecord(found["mishaps"]) ? Object.entries(found["mishaps"]) : [];
  return {
    first,
    units,
    expires: lifetimeIn(expires),
    to: channelIn(to),
    calls,
    joins,
    mishaps: new Map(mishaps.map(([number, mishap]) => [number, readFailureInfo(mishap)])),
  };
}

/** A mishap, or one that says that it cannot be read: what stands behind it is to fail all the same. */
export function readFailureInfo(text: unknown): FailureInfo {
  try {
    const value = typeof text === "string" ? decodeJson(text, "a mishap") : undefined;
    if (isFailureInfo(value)) return value.failure === undefined ? value : { ...value, failure: clippedFailure(value.failure) };
  } catch {
    // As one that is none.
  }
  const failure = { name: "BullrushError", code: "DECODE_ERROR", message: "why it failed cannot be decoded: it is not a mishap" };
  return { id: "00000000-0000-0000-0000-000000000000", task: "unknown", state: "FAILURE", failure };
}

/** A time to live, in ms. */
export function lifetimeIn(text: string | null): number {
  const value = Number(text ?? undefined);
  return Number.isSafeInteger(value) && value >= 1 && value <= longestDuration ? value : usualLifetime;
}

/** A channel on which a client waits, or "": nobody else is told of results. */
export function channelIn(text: string): string {
  return clientOf(text) === undefined ? "" : text;
}

function isEdge(value: unknown): value is Edge {
  if (!Array.isArray(value) || value.length !== 3) return false;
  const [first, last, call] = value as unknown[];
  if (!isPosition(first) || !isPosition(last) || first > last || !isRecord(call)) return false;
  const { task, queue, places, standsFor } = call;
  return isText(task) && isText(queue) && isListOf(isFlowPosition)(places) && (standsFor === undefined || isListOf(isTaskRef)(standsFor));
}

function isDoomedCall(value: unknown): value is DoomedCall {
  if (!isRecord(value)) return false;
  const { id, task, queue, standsFor, mishap } = value;
  const hasOrigins = standsFor === undefined || valuesOf(standsFor).every(isTaskRef);
  return isTaskId(id) && isText(task) && isText(queue) && isText(mishap) && hasOrigins;
}

function isDoomedJoin(value: unknown): value is DoomedJoin {
  if (!isRecord(value)) return false;
  const { number, id, size, failed, bytes, limit } = value;
  return isText(id) && [number, size, failed, bytes, limit].every(isPosition);
}

function isFailureInfo(value: unknown): value is FailureInfo {
  if (!isRecord(value)) return false;
  const { id, task, state, failure, reason } = value;
  const isKnown = isTaskId(id) && isText(task) && (state === "FAILURE" || state === "REVOKED");
  return isKnown && (failure === undefined || isFailure(failure)) && (reason === undefined || typeof reason === "string");
}

/** A list as Lua encodes it: one of none is an empty object. */
function valuesOf(list: unknown): readonly unknown[] {
  return Array.isArray(list) ? list : [];
}

function listIn<T>(text: string, accepts: (value: unknown) => value is T, what: string): readonly T[] {
  const value = decoded(text);
  if (!isListOf(accepts)(value)) refuse(`its ${what} are malformed`);
  return value;
}

function isListOf<T>(accepts: (value: unknown) => value is T): (value: unknown) => value is readonly T[] {
  return (value): value is readonly T[] => Array.isArray(value) && value.every(accepts);
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function decoded(text: string): unknown {
  return decodeJson(text, "the stored flow");
}

function refuse(reason: string): never {
  throw new BullrushError("DECODE_ERROR", { what: "the stored flow", reason });
}
