import { BullrushError } from "../error.js";
import { isTaskId } from "../id.js";
import { encodeJson } from "./json.js";
import type { Json, Message } from "./message.js";

/** The version that this release writes, and the newest that it reads. Fields may be added within a version; readers ignore what they do not know. */
export const messageVersion = 1;

/** Default of the longest encoded message or result, in bytes: 1 MiB. */
export const defaultMaxPayload = 1024 * 1024;

/**
 * `message` as the text that goes into the broker. Throws `ENCODE_ERROR` for arguments or headers that JSON would change silently and
 * `PAYLOAD_TOO_LARGE` over `maxPayload` bytes.
 */
export function encodeMessage(message: Message, maxPayload = defaultMaxPayload): string {
  const { args, headers, ...rest } = message;
  const what = `the arguments of ${message.task}`;
  const head = JSON.stringify({ bullrush: messageVersion, ...rest });
  const encodedArgs = encodeJson(withoutTrailingUndefined(args), what) ?? "[]";
  const encodedHeaders = isEmpty(headers) ? "" : `,"headers":${encodeJson(headers, `the headers of ${message.task}`)}`;
  const text = `${head.slice(0, -1)},"args":${encodedArgs}${encodedHeaders}}`;
  checkSize(text, what, maxPayload);
  return text;
}

/** Throws `PAYLOAD_TOO_LARGE` if `text` has more than `limit` bytes in UTF-8. */
export function checkSize(text: string, what: string, limit: number): void {
  if (text.length * 3 <= limit) return;
  const bytes = Buffer.byteLength(text);
  if (bytes > limit) throw new BullrushError("PAYLOAD_TOO_LARGE", { what, bytes, limit });
}

/** Whether decoded `data` is one of our envelopes, of whatever version, rather than the data of a plain BullMQ job. */
export function isEnvelope(data: unknown): data is { readonly bullrush: unknown } & Record<string, unknown> {
  return typeof data === "object" && data !== null && !Array.isArray(data) && "bullrush" in data;
}

/** The message in an envelope. Throws `DECODE_ERROR`, naming the field, if it is of a newer version or malformed. */
export function decodeMessage(envelope: Record<string, unknown>): Message {
  if (envelope["bullrush"] !== messageVersion) {
    const version = envelope["bullrush"];
    refuse(`its version is ${isCount(version) ? String(version) : describe(version)}, and this release reads version ${messageVersion}`);
  }
  for (const [field, required, accepts, expected] of fields) {
    const value = envelope[field];
    if (value === undefined ? required : !accepts(value)) refuse(`"${field}" is ${describe(value)}; expected ${expected}`);
  }
  const message: Record<string, unknown> = { headers: {} };
  for (const [field] of fields) if (envelope[field] !== undefined) message[field] = envelope[field];
  return message as unknown as Message;
}

type Field = readonly [name: keyof Message, required: boolean, accepts: (value: unknown) => boolean, expected: string];

const isText = (value: unknown) => typeof value === "string" && value !== "";
const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
const isTime = (value: unknown) => typeof value === "number" && Number.isFinite(value) && value >= 0;
const isFlag = (value: unknown) => typeof value === "boolean";
const isRecord = (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value);

const fields: readonly Field[] = [
  ["id", true, isTaskId, "a UUID"],
  ["task", true, isText, "a name"],
  ["args", true, Array.isArray, "an array"],
  ["headers", false, isRecord, "an object"],
  ["priority", true, (value) => isCount(value) && (value as number) <= 9, "0 to 9"],
  ["retries", true, isCount, "a count"],
  ["rootId", true, isTaskId, "a UUID"],
  ["parentId", false, isTaskId, "a UUID"],
  ["groupId", false, isTaskId, "a UUID"],
  ["eta", false, isTime, "a time in milliseconds"],
  ["expires", false, isTime, "a time in milliseconds"],
  ["timeLimit", false, isTime, "milliseconds"],
  ["softTimeLimit", false, isTime, "milliseconds"],
  ["replyTo", false, isText, "a channel"],
  ["ignoreResult", false, isFlag, "true or false"],
  ["resent", false, isFlag, "true or false"],
];

/** The message that a job of a plain BullMQ producer stands for: its name is the task, its data the one argument. */
export function foreignMessage(id: string, name: string, data: unknown, priority: number): Message {
  return { id, task: name, args: [data], headers: {}, priority: Math.min(priority, 9), retries: 0, rootId: id };
}

/** An `undefined` at the end of a call is the same as nothing there. */
function withoutTrailingUndefined(args: readonly unknown[]): readonly unknown[] {
  let { length } = args;
  while (length > 0 && args[length - 1] === undefined) length--;
  return length === args.length ? args : args.slice(0, length);
}

function isEmpty(headers: Readonly<Record<string, Json>>): boolean {
  for (const _ in headers) return false;
  return true;
}

/** The kind of a bad value, never the value: it may be a payload. */
function describe(value: unknown): string {
  if (value === undefined) return "missing";
  return value === null ? "null" : Array.isArray(value) ? "an array" : `a ${typeof value}`;
}

function refuse(reason: string): never {
  throw new BullrushError("DECODE_ERROR", { what: "the message", reason });
}
