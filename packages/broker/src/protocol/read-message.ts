import { clip, textLimits } from "../errors/clip.js";
import { BullrushError } from "../errors/error.js";
import { typeOf } from "../errors/words.js";
import { decodeJson } from "../json/json.js";
import { messageVersion } from "./envelope.js";
import type { Failure } from "./failure.js";
import { isFlowPosition, isTaskRef } from "./flow-position.js";
import { isTaskId } from "./id.js";
import type { Message } from "./message.js";
import { isClient, isReplyChannel, replyChannel } from "./reply-channel.js";
import { clippedFailure, isFailure } from "./stored-failure.js";

/**
 * Whether decoded `data` is one of our envelopes, of whatever version, rather than the data of a
 * plain BullMQ job.
 */
export function isEnvelope(data: unknown): data is { readonly bullrush: unknown } & Record<string, unknown> {
  return typeof data === "object" && data !== null && !Array.isArray(data) && "bullrush" in data;
}

/** Whether an envelope is of a version that another release reads. */
export function isOfOtherVersion({ bullrush: version }: { readonly bullrush: unknown }): boolean {
  return isCount(version) && version !== messageVersion;
}

/**
 * The message in the envelope of job `id`, whose name is the task. Throws `DECODE_ERROR`, naming
 * the field, if the envelope is of a newer version or malformed.
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

/**
 * The message for a job of a plain BullMQ producer. Its name is the task, clipped if it is too long
 * for one; its data is the only argument.
 */
export function externalMessage(id: string, name: string, data: unknown, priority: number): Message {
  return { id, task: clip(name, textLimits.name), args: [data], headers: {}, priority: Math.min(priority, 9), retries: 0, rootId: id };
}

/** The kind of a bad value, never the value: it may be a payload. */
function describe(value: unknown): string {
  if (value === undefined) return "missing";
  return value === null ? "null" : Array.isArray(value) ? "an array" : typeOf(value);
}

function refuse(reason: string): never {
  throw new BullrushError("DECODE_ERROR", { what: "the message", reason });
}
