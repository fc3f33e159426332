import { isTaskId } from "../id.js";
import { isTaskRef, type TaskRef } from "./flow-position.js";
import { BullrushError } from "../error.js";
import { clip, textLimits } from "../clip.js";
import type { Failure } from "./failure.js";
import { clippedFailure, isFailure } from "./stored-failure.js";
import { decodeJson } from "./json.js";
import type { TaskState } from "./state.js";

/** What the result backend knows of a task. Times are milliseconds since the epoch. */
export interface TaskRecord {
  readonly state: TaskState;
  /** The delivery that stored or claimed it. */
  readonly delivery: number;
  /** The returned value; absent for `undefined` and for all states but SUCCESS. */
  readonly result?: unknown;
  /** Why it failed, or its last attempt did; absent from SUCCESS. */
  readonly failure?: Failure;
  /** Why it was revoked; REVOKED only. */
  readonly reason?: string;
  /** What the task said of its progress; custom states only. */
  readonly meta?: unknown;
  /** Name of the task. */
  readonly task?: string;
  readonly queue?: string;
  /** Name of the worker. */
  readonly worker?: string;
  /** Retries + 1. */
  readonly attempt?: number;
  readonly startedAt?: number;
  readonly endedAt?: number;
  /** When the next attempt is due; RETRY only. */
  readonly eta?: number;
  /** The flow that it is part of and its number there, while it has not been sent; the flow that runs in its place, once it was replaced. */
  readonly flow?: string;
  readonly call?: number;
  /** The task or group that has failed or was revoked, so that this one did not run. */
  readonly origin?: TaskRef;
  /** Ids of the tasks that it sent while it ran; at most 1000. */
  readonly children?: readonly string[];
  /** Whether nobody knew the task when this was stored: it may never be sent; REVOKED only. */
  readonly unfound?: true;
}

/** A record on its way out, whose result and meta are JSON text already. */
export interface UnsentRecord {
  readonly state: TaskState;
  readonly delivery: number;
  readonly resultText?: string | undefined;
  readonly metaText?: string | undefined;
  readonly failure?: Failure | undefined;
  readonly reason?: string | undefined;
  readonly task?: string | undefined;
  readonly queue?: string | undefined;
  readonly worker?: string | undefined;
  readonly attempt?: number | undefined;
  readonly startedAt?: number | undefined;
  readonly endedAt?: number | undefined;
  readonly eta?: number | undefined;
  readonly flow?: string | undefined;
  readonly call?: number | undefined;
  readonly origin?: TaskRef | undefined;
  readonly children?: readonly string[] | undefined;
  readonly unfound?: true | undefined;
}

/**
 * `record` as JSON. State and delivery come first: the scripts that compare records read no further. Put together by hand, because each task
 * that ends has one.
 */
export function encodeRecord(record: UnsentRecord): string {
  let text = `{"state":${JSON.stringify(record.state)},"delivery":${record.delivery}`;
  if (record.resultText !== undefined) text += `,"result":${record.resultText}`;
  if (record.metaText !== undefined) text += `,"meta":${record.metaText}`;
  if (record.failure !== undefined) text += `,"failure":${JSON.stringify(record.failure)}`;
  if (record.reason !== undefined) text += `,"reason":${JSON.stringify(record.reason)}`;
  if (record.task !== undefined) text += `,"task":${JSON.stringify(record.task)}`;
  if (record.queue !== undefined) text += `,"queue":${JSON.stringify(record.queue)}`;
  if (record.worker !== undefined) text += `,"worker":${JSON.stringify(record.worker)}`;
  if (record.attempt !== undefined) text += `,"attempt":${record.attempt}`;
  if (record.startedAt !== undefined) text += `,"startedAt":${record.startedAt}`;
  if (record.endedAt !== undefined) text += `,"endedAt":${record.endedAt}`;
  if (record.eta !== undefined) text += `,"eta":${record.eta}`;
  if (record.flow !== undefined) text += `,"flow":${JSON.stringify(record.flow)}`;
  if (record.call !== undefined) text += `,"call":${record.call}`;
  if (record.origin !== undefined) text += `,"origin":${JSON.stringify(record.origin)}`;
  if (record.children !== undefined) text += `,"children":${JSON.stringify(record.children)}`;
  if (record.unfound !== undefined) text += `,"unfound":true`;
  return `${text}}`;
}

/** The record in `text`. Throws `DECODE_ERROR`, naming the field, if it is none. */
export function decodeRecord(text: string): TaskRecord {
  const record = decodeJson(text, what);
  if (typeof record !== "object" || record === null || Array.isArray(record)) refuse("it is not a task record");
  for (const [field, accepts] of fields) {
    if (!accepts((record as Partial<Record<string, unknown>>)[field])) refuse(`"${field}" is not what a task record has there`);
  }
  return clippedRecord(record as TaskRecord);
}

const what = "the stored result";

type Accepts = (value: unknown) => boolean;

const optional =
  (accepts: Accepts): Accepts =>
  (value) =>
    value === undefined || accepts(value);

const isText: Accepts = (value) => typeof value === "string";
const isCount: Accepts = (value) => Number.isSafeInteger(value) && (value as number) >= 0;
/** One of which a `Date` can be made. */
const isTime: Accepts = (value) => typeof value === "number" && Math.abs(value) <= 8.64e15;

/** What a record may have, with what is looked at on the way: a result and what a task says of its progress may be anything. */
const fields: readonly (readonly [field: keyof TaskRecord, accepts: Accepts])[] = [
  ["state", (value) => typeof value === "string" && value !== ""],
  ["delivery", isCount],
  ["failure", optional((value) => isFailure(value))],
  ["reason", optional(isText)],
  ["task", optional(isText)],
  ["queue", optional(isText)],
  ["worker", optional(isText)],
  ["attempt", optional(isCount)],
  ["startedAt", optional(isTime)],
  ["endedAt", optional(isTime)],
  ["eta", optional(isTime)],
  ["flow", optional(isTaskId)],
  ["call", optional(isCount)],
  ["origin", optional(isTaskRef)],
  ["children", optional((value) => Array.isArray(value) && value.every(isTaskId))],
  ["unfound", optional((value) => value === true)],
];

function refuse(reason: string): never {
  throw new BullrushError("DECODE_ERROR", { what, reason });
}

const clippedFields = [
  ["reason", textLimits.reason],
  ["task", textLimits.name],
  ["queue", textLimits.name],
  ["worker", textLimits.name],
] as const;

/** `record` with texts no longer than those that are written. */
function clippedRecord(record: TaskRecord): TaskRecord {
  const failure = record.failure && clippedFailure(record.failure);
  let clipped = failure === undefined || failure === record.failure ? record : { ...record, failure };
  for (const [field, most] of clippedFields) {
    const text: unknown = record[field];
    if (typeof text === "string" && text.length > most) clipped = { ...clipped, [field]: clip(text, most) };
  }
  return clipped;
}
