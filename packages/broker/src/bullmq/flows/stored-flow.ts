import { BullrushError } from "../../errors/error.js";
import { maxDuration } from "../../time/duration.js";
import { callId, isTaskId } from "../../protocol/id.js";
import { clippedFailure, isFailure } from "../../protocol/stored-failure.js";
import type { FailureInfo } from "../../protocol/flow.js";
import { decodeJson } from "../../json/json.js";
import { isTaskRef, isFlowPosition, isPosition, type TaskRef } from "../../protocol/flow-position.js";
import { clientOf } from "../../protocol/reply-channel.js";
import type { DescribedCall, CallGroup } from "./flow-fields.js";

/**
 * Reads what Redis keeps of flows, field by field: whoever may write there may have written anything. Each function throws `DECODE_ERROR` for what
 * none of ours would have written.
 */

/** Ids of calls that follow no rule, by their numbers. */
export type CustomIds = ReadonlyMap<number, string>;

/** A list of none, as Lua encodes it. */
export type Nothing = Readonly<Record<string, never>>;

/** A batch of calls and joins that are to fail without having run. */
export interface CascadeBatch {
  /** The entry of the list with which it begins. */
  readonly first: string;
  /** Number of calls and joins. */
  readonly units: number;
  /** How long the results are kept, in ms. */
  readonly expires: number;
  /** Reply channel, or "". */
  readonly replyTo: string;
  readonly calls: readonly CascadeCall[];
  /** The failures by their numbers. */
  readonly failures: ReadonlyMap<string, FailureInfo>;
  readonly joins: readonly CascadeJoin[];
}

export interface CascadeCall {
  readonly id: string;
  readonly task: string;
  readonly queue: string;
  /** None: an empty object. */
  readonly replaces?: readonly TaskRef[] | Nothing;
  /** Number of its failure. */
  readonly failure: string;
}

/** A join that fails, and does not know in which words. */
export interface CascadeJoin {
  readonly number: number;
  /** Of its group. */
  readonly id: string;
  readonly size: number;
  /** How many of its members failed; 0 if it is only that their values are too long. */
  readonly failed: number;
  /** The failures of the first of these, JSON. */
  readonly named: readonly string[] | Nothing;
  readonly bytes: number;
  readonly maxBytes: number;
}

/** How long results of calls are kept whose flow does not say it, in ms: a day. */
const usualLifetime = 24 * 3600 * 1000;

export function readQueues(text: string): readonly string[] {
  return listIn(text, isText, "queues");
}

export function readNumbers(text: string): readonly number[] {
  return listIn(text, isPosition, "numbers of calls");
}

export function readCustomIds(text: string): CustomIds {
  const value = decoded(text);
  if (!isRecord(value)) refuse("the ids of its calls are not ids");
  const entries = Object.entries(value).map(([number, id]) => [Number(number), id] as const);
  if (!entries.every((entry): entry is [number, string] => isPosition(entry[0]) && isTaskId(entry[1])))
    refuse("the ids of its calls are not ids");
  return new Map(entries);
}

/** The id of call `number`: one of `customIds`, or the one that follows the rule. */
export function idOfCall(flow: string, number: number, customIds: CustomIds): string {
  return customIds.get(number) ?? callId(flow, number);
}

export function readCallGroups(text: string): readonly CallGroup[] {
  return listIn(text, isCallGroup, "ranges of calls");
}

/** What is known of a call that was added; `undefined` for what none of ours would have written. */
export function readAddedCall(text: string): DescribedCall | undefined {
  try {
    const value = decoded(text);
    if (!isRecord(value)) return undefined;
    const { id, task, queue, positions } = value;
    return isTaskId(id) && isText(task) && isText(queue) && isListOf(isFlowPosition)(positions)
      ? { id, task, queue, positions }
      : undefined;
  } catch {
    return undefined;
  }
}

/** A batch as `lua/bullmq/flow/read-cascade.lua` gives it. */
export function readCascadeBatch([first, units, expires, replyTo, text]: readonly [
  string,
  number,
  string | null,
  string,
  string,
]): CascadeBatch {
  const found = decoded(text);
  if (!isRecord(found)) refuse("what is to fail is not an object");
  const calls = valuesOf(found["calls"]).filter(isCascadeCall);
  const joins = valuesOf(found["joins"]).filter(isCascadeJoin);
  const failures = isRecord(found["failures"]) ? Object.entries(found["failures"]) : [];
  return {
    first,
    units,
    expires: lifetimeIn(expires),
    replyTo: channelIn(replyTo),
    calls,
    joins,
    failures: new Map(failures.map(([number, failure]) => [number, readFailureInfo(failure)])),
  };
}

/** A failure, or one that says that it cannot be read: what stands behind it is to fail all the same. */
export function readFailureInfo(text: unknown): FailureInfo {
  try {
    const value = typeof text === "string" ? decodeJson(text, "a failure") : undefined;
    if (isFailureInfo(value)) return value.failure === undefined ? value : { ...value, failure: clippedFailure(value.failure) };
  } catch {
    // As one that is none.
  }
  const failure = { name: "BullrushError", code: "DECODE_ERROR", message: "why it failed cannot be decoded: it is not a failure" };
  return { id: "00000000-0000-0000-0000-000000000000", task: "unknown", state: "FAILURE", failure };
}

/** A time to live, in ms. */
export function lifetimeIn(text: string | null): number {
  const value = Number(text ?? undefined);
  return Number.isSafeInteger(value) && value >= 1 && value <= maxDuration ? value : usualLifetime;
}

/** A channel on which a client waits, or "": nobody else is told of results. */
export function channelIn(text: string): string {
  return clientOf(text) === undefined ? "" : text;
}

function isCallGroup(value: unknown): value is CallGroup {
  if (!Array.isArray(value) || value.length !== 3) return false;
  const [first, last, call] = value as unknown[];
  if (!isPosition(first) || !isPosition(last) || first > last || !isRecord(call)) return false;
  const { task, queue, positions, replaces } = call;
  return isText(task) && isText(queue) && isListOf(isFlowPosition)(positions) && (replaces === undefined || isListOf(isTaskRef)(replaces));
}

function isCascadeCall(value: unknown): value is CascadeCall {
  if (!isRecord(value)) return false;
  const { id, task, queue, replaces, failure } = value;
  const areTasks = replaces === undefined || valuesOf(replaces).every(isTaskRef);
  return isTaskId(id) && isText(task) && isText(queue) && isText(failure) && areTasks;
}

function isCascadeJoin(value: unknown): value is CascadeJoin {
  if (!isRecord(value)) return false;
  const { number, id, size, failed, bytes, maxBytes } = value;
  return isText(id) && [number, size, failed, bytes, maxBytes].every(isPosition);
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
