import { BullrushError } from "../error.js";
import { isTaskId } from "../id.js";
import { clip, textLimits } from "../clip.js";
import type { Failure } from "./failure.js";
import { clippedFailure, isFailure } from "./stored-failure.js";
import { decodeJson, encodeJson } from "./json.js";
import { isTaskRef, isFlowPosition } from "./flow-position.js";
import type { Json, Message } from "./message.js";
import { clientOf, replyChannel } from "./reply-channel.js";
import { typeOf } from "../words.js";

/** The layout of messages that this release writes, and the only one that it reads. Fields may be added within a version; readers ignore unknown fields. */
export const messageVersion = 2;

/** How each message begins, and then its list of arguments: scripts put a value into that. ASCII. */
export const messageStart = `{"bullrush":${messageVersion},"args":`;

/** Default of the longest encoded message or result, in bytes: 1 MiB. */
export const defaultMaxPayload = 1024 * 1024;

/**
 * `message` as the text that goes into the broker, without what the broker keeps beside it (id and task) and what is at its default, so
 * that Redis can store a small one compactly. Throws `ENCODE_ERROR` for arguments or headers that JSON would change silently and
 * `PAYLOAD_TOO_LARGE` over `maxPayload` bytes.
 */
export function encodeMessage(message: Message, maxPayload = defaultMaxPayload): string {
  const { id, task, headers, rootId, replyTo } = message;
  const what = `the arguments of ${task}`;
  let text = `${messageStart}${encodeJson(withoutTrailingUndefined(message.args), what) ?? "[]"}`;
  if (!isEmpty(headers)) text += `,"headers":${encodeJson(headers, `the headers of ${task}`)}`;
  if (rootId !== id) text += `,"rootId":${JSON.stringify(rootId)}`;
  if (message.priority !== 0) text += `,"priority":${message.priority}`;
  if (message.retries !== 0) text += `,"retries":${message.retries}`;
  for (const field of asTheyAre) if (message[field] !== undefined) text += `,"${field}":${JSON.stringify(message[field])}`;
  if (replyTo !== undefined) text += encodeReplyTo(replyTo);
  text += "}";
  checkSize(text, what, maxPayload);
  return text;
}

/** Fields that are written as they are, where they apply. */
const asTheyAre = [
  "parentId",
  "groupId",
  "eta",
  "expires",
  "maxRetries",
  "timeLimit",
  "softTimeLimit",
  "ignoreResult",
  "each",
  "positions",
  "replaces",
  "lastFailure",
  "resent",
] as const;

function encodeReplyTo(channel: string): string {
  const client = clientOf(channel);
  return client === undefined ? `,"replyTo":${JSON.stringify(channel)}` : `,"to":${JSON.stringify(client)}`;
}

/** Throws `PAYLOAD_TOO_LARGE` if `text` has more than `limit` bytes in UTF-8. */
export function checkSize(text: string, what: string, limit: number): void {
  if (text.length * 3 <= limit) return;
  const bytes = Buffer.byteLength(text);
  if (bytes > limit) throw new BullrushError("PAYLOAD_TOO_LARGE", { what, bytes, limit });
}

/**
 * Longest message, or record, that is read where `maxPayload` bytes may be sent: 8 MiB, or four times `maxPayload` if that is more, since a message may hold values of its parents, too. What
 * somebody planted may have any length, and to parse it takes many times that.
 */
export function longestMessageOf(maxPayload: number): number {
  return Math.max(8 * 1024 * 1024, 4 * maxPayload);
}

/** How many bytes of the end of an encoded message `replyToAtEnd` wants. */
export const longestReplyTo = 256;

/**
 * The channel on which the sender of a message waits, from the end of the message as `encodeMessage` and a second try of publishing write
 * it: the rest may be long.
 */
export function replyToAtEnd(end: string): string | undefined {
  // Inside of a string its quotes would be escaped, so this is the message's own field.
  const [, field, value] = /,"(to|replyTo)":"([^"\\]+)"(?:,"resent":true)?\}$/.exec(end) ?? [];
  const channel = field === "to" ? replyChannel(value as string) : value;
  return isReplyChannel(channel) ? channel : undefined;
}

/** Whether decoded `data` is one of our envelopes, of whatever version, rather than the data of a plain BullMQ job. */
export function isEnvelope(data: unknown): data is { readonly bullrush: unknown } & Record<string, unknown> {
  return typeof data === "object" && data !== null && !Array.isArray(data) && "bullrush" in data;
}

/** Whether an envelope is of a version that another release reads. */
export function isOfOtherVersion({ bullrush: version }: { readonly bullrush: unknown }): boolean {
  return isCount(version) && version !== messageVersion;
}

/**
 * The message in the envelope of job `id`, whose name is the task. Throws `DECODE_ERROR`, naming the field, if it is of another version or
 * malformed.
 */
export function decodeMessage(id: string, task: string, envelope: Record<string, unknown>): Message {
  if (envelope["bullrush"] !== messageVersion) {
    const version = envelope["bullrush"];
    refuse(`its version is ${isCount(version) ? String(version) : describe(version)}, and this release reads version ${messageVersion}`);
  }
  check("id", id, isTaskId, "a UUID");
  check("task", task, isName, "a name");
  const message: Record<string, unknown> = { id, task, args: undefined, headers: {}, priority: 0, retries: 0, rootId: id };
  for (const name of Object.keys(envelope)) {
    const field = fields.get(name);
    const value = envelope[name];
    if (field === undefined || value === undefined) continue;
    check(name, value, ...field);
    if (name === "to") message["replyTo"] = replyChannel(value as string);
    else if (name === "lastFailure") message[name] = clippedFailure(value as Failure);
    else message[name] = value;
  }
  check("args", message["args"], ...isList);
  return message as unknown as Message;
}

/** The message that stands in `text`, which `encodeMessage` wrote. Throws `DECODE_ERROR`. */
export function readMessage(id: string, task: string, text: string): Message {
  return decodeMessage(id, task, decodeJson(text, "the message") as Record<string, unknown>);
}

type Expectation = readonly [accepts: (value: unknown) => boolean, expected: string];

const isText = (value: unknown) => typeof value === "string" && value !== "";
const isName = (value: unknown) => isText(value) && (value as string).length <= textLimits.name;
const isCount = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
const isLength = (value: unknown) => typeof value === "number" && Number.isFinite(value) && value >= 0;
/** One of which a `Date` can be made. */
const isTime = (value: unknown) => isLength(value) && (value as number) <= 8.64e15;
/** Whom a reply may go to: only who waits for results, never another channel of somebody's. */
const isReplyChannel = (value: unknown) => typeof value === "string" && isClient(clientOf(value));
const isClient = (value: unknown) => typeof value === "string" && /^[^\p{Cc}]{1,200}$/u.test(value);
const isFlag = (value: unknown) => typeof value === "boolean";
const isRecord = (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value);

const isListOf = (accepts: (value: unknown) => boolean) => (value: unknown) => Array.isArray(value) && value.every(accepts);

const isList: Expectation = [Array.isArray, "an array"];

/** What may stand in an envelope; whatever else does is ignored. */
const fields = new Map<string, Expectation>([
  ["args", isList],
  ["headers", [isRecord, "an object"]],
  ["priority", [(value) => isCount(value) && (value as number) <= 9, "0 to 9"]],
  ["retries", [isCount, "a count"]],
  ["rootId", [isTaskId, "a UUID"]],
  ["parentId", [isTaskId, "a UUID"]],
  ["groupId", [isTaskId, "a UUID"]],
  ["eta", [isTime, "a time in milliseconds"]],
  ["expires", [isTime, "a time in milliseconds"]],
  ["maxRetries", [(value) => value === null || isCount(value), "a count or null"]],
  ["timeLimit", [isLength, "milliseconds"]],
  ["softTimeLimit", [isLength, "milliseconds"]],
  ["to", [isClient, "a client"]],
  ["replyTo", [isReplyChannel, `a channel that begins with ${replyChannel("")}`]],
  ["ignoreResult", [isFlag, "true or false"]],
  ["each", [isFlag, "true or false"]],
  ["positions", [isListOf(isFlowPosition), "a list of positions in flows"]],
  ["replaces", [isListOf(isTaskRef), "a list of tasks"]],
  ["lastFailure", [(value) => isFailure(value), "a failure"]],
  ["resent", [isFlag, "true or false"]],
]);

function check(field: string, value: unknown, accepts: (value: unknown) => boolean, expected: string): void {
  if (!accepts(value)) refuse(`"${field}" is ${describe(value)}; expected ${expected}`);
}

/** The message that a job of a plain BullMQ producer stands for: its name is the task, clipped if it is too long for one, its data the one argument. */
export function externalMessage(id: string, name: string, data: unknown, priority: number): Message {
  return { id, task: clip(name, textLimits.name), args: [data], headers: {}, priority: Math.min(priority, 9), retries: 0, rootId: id };
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
  return value === null ? "null" : Array.isArray(value) ? "an array" : typeOf(value);
}

function refuse(reason: string): never {
  throw new BullrushError("DECODE_ERROR", { what: "the message", reason });
}
