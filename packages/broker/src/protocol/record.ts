import { BullrushError } from "../error.js";
import { isFailure, type Failure } from "./failure.js";
import { decodeJson } from "./json.js";
import type { TaskState } from "./state.js";

/** What the result backend knows of a task. Times are milliseconds since the epoch. */
export interface TaskRecord {
  readonly state: TaskState;
  /** The delivery that stored or claimed it. */
  readonly delivery: number;
  /** The returned value; absent for `undefined` and for all states but SUCCESS. */
  readonly result?: unknown;
  /** Why it failed; FAILURE only. */
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
}

/** A record whose result is JSON text already. */
export type UnsentRecord = Omit<TaskRecord, "result"> & { readonly resultText?: string };

/** `record` as JSON. State and delivery come first: the scripts that compare records read no further. */
export function encodeRecord({ state, delivery, resultText, ...facts }: UnsentRecord): string {
  const head = `{"state":${JSON.stringify(state)},"delivery":${delivery}`;
  const rest = JSON.stringify(facts).slice(1);
  const result = resultText === undefined ? "" : `,"result":${resultText}`;
  return rest === "}" ? `${head}${result}}` : `${head}${result},${rest}`;
}

/** The record in `text`. Throws `DECODE_ERROR` if it is none. */
export function decodeRecord(text: string): TaskRecord {
  const record = decodeJson(text, "the stored result");
  if (isRecord(record)) return record;
  throw new BullrushError("DECODE_ERROR", { what: "the stored result", reason: "it is not a task record" });
}

function isRecord(value: unknown): value is TaskRecord {
  if (typeof value !== "object" || value === null) return false;
  const { state, delivery, failure } = value as Partial<Record<string, unknown>>;
  return typeof state === "string" && Number.isSafeInteger(delivery) && (failure === undefined || isFailure(failure));
}
