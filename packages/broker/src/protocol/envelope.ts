import { encodeJson } from "../json/json.js";
import type { Json, Message } from "./message.js";
import { checkSize, defaultMaxPayload } from "./payload-limit.js";
import { clientOf, isReplyChannel, replyChannel } from "./reply-channel.js";

/**
 * The text of a message on the wire: this module writes it, and is the only one that edits it. An
 * edit inserts text and leaves every other byte as it is, so that arguments are never parsed.
 */

/**
 * The layout of messages that this release writes, and the only one that it reads. Fields may be
 * added within a version; readers ignore those that they do not know.
 */
export const messageVersion = 2;

/** How each message begins, up to its list of arguments. ASCII, so that scripts can count bytes. */
const messageStart = `{"bullrush":${messageVersion},"args":`;

/** Index of the first argument in an encoded message, behind the bracket. */
const firstArgument = messageStart.length + 1;

/** Byte of the first argument in an encoded message, counted from 1 as Lua does. */
export const firstArgumentByte = firstArgument + 1;

/**
 * `message` as the text that goes into the broker. It leaves out what the broker keeps beside it
 * (id and task) and fields at their default, so that Redis can store a small message compactly.
 * Throws `ENCODE_ERROR` for arguments or headers that JSON would change silently, and
 * `PAYLOAD_TOO_LARGE` over `maxPayload` bytes.
 */
export function encodeMessage(message: Message, maxPayload = defaultMaxPayload): string {
  const [before, behind] = encodeAroundPositions(message);
  const text = `${before}${fieldsOf(message, ["positions"])}${behind}`;
  checkSize(text, argumentsOf(message), maxPayload);
  return text;
}

/**
 * `message` encoded without its flow positions, as the texts before and behind them: for a script
 * that knows the positions. Throws `ENCODE_ERROR` as `encodeMessage` does.
 */
export function encodeAroundPositions(message: Message): readonly [before: string, behind: string] {
  const { id, task, headers, rootId, replyTo } = message;
  let before = `${messageStart}${encodeJson(withoutTrailingUndefined(message.args), argumentsOf(message)) ?? "[]"}`;
  if (!isEmpty(headers)) before += `,"headers":${encodeJson(headers, `the headers of ${task}`)}`;
  if (rootId !== id) before += `,"rootId":${JSON.stringify(rootId)}`;
  if (message.priority !== 0) before += `,"priority":${message.priority}`;
  if (message.retries !== 0) before += `,"retries":${message.retries}`;
  before += fieldsOf(message, beforePositions);
  const behind = fieldsOf(message, behindPositions);
  return [before, `${behind}${replyTo === undefined ? "" : encodeReplyTo(replyTo)}}`];
}

/** What is known of a call of a flow only when its turn comes. The message has none of it yet. */
export interface LateFields {
  /** The first argument, as JSON. Default: none is added. */
  readonly value?: string | undefined;
  /** Default: none. */
  readonly eta?: number | undefined;
  /** Default: none. */
  readonly expires?: number | undefined;
  /** Whether an earlier try may have enqueued it. Default: false. */
  readonly resent?: boolean | undefined;
}

/** The encoded message `text` of a flow's call with what is known now. */
export function completeMessage(text: string, { value, eta, expires, resent = false }: LateFields): string {
  const filled = value === undefined ? text : withFirstArgument(text, value);
  const times = [...(eta === undefined ? [] : [`"eta":${eta},`]), ...(expires === undefined ? [] : [`"expires":${expires},`])];
  const timed = times.length === 0 ? filled : `{${times.join("")}${filled.slice(1)}`;
  return resent ? markResent(timed) : timed;
}

/**
 * The encoded message `text`, which has no such mark, with the mark that an earlier try may have
 * enqueued it.
 */
export function markResent(text: string): string {
  return `${text.slice(0, -1)},"resent":true}`;
}

/**
 * Throws a `TypeError` unless `text` begins as `encodeMessage` writes it, so that it can be edited.
 */
export function checkEditable(text: string): void {
  if (!text.startsWith(`${messageStart}[`)) throw new TypeError("a message begins with its version and its arguments");
}

/** How many bytes at the end of an encoded message `replyToAtEnd` needs. */
export const maxReplyToBytes = 256;

/**
 * The channel on which the sender of a message waits, from the `end` of the message as
 * `encodeMessage` and `markResent` write it: the rest may be long.
 */
export function replyToAtEnd(end: string): string | undefined {
  // In a string its quotes would be escaped, so this is the message's own field.
  const [, field, value] = /,"(to|replyTo)":"([^"\\]+)"(?:,"resent":true)?\}$/.exec(end) ?? [];
  const channel = field === "to" ? replyChannel(value as string) : value;
  return isReplyChannel(channel) ? channel : undefined;
}

/** Fields that are written as they are if they are present. */
const beforePositions = [
  "parentId",
  "groupId",
  "eta",
  "expires",
  "maxRetries",
  "timeLimit",
  "softTimeLimit",
  "ignoreResult",
  "each",
] as const;
const behindPositions = ["replaces", "lastFailure", "resent"] as const;

function fieldsOf(message: Partial<Message>, names: readonly (keyof Message)[]): string {
  let text = "";
  for (const name of names) if (message[name] !== undefined) text += `,"${name}":${JSON.stringify(message[name])}`;
  return text;
}

function withFirstArgument(text: string, value: string): string {
  const rest = text.slice(firstArgument);
  return `${text.slice(0, firstArgument)}${value}${rest.startsWith("]") ? "" : ","}${rest}`;
}

function encodeReplyTo(channel: string): string {
  const client = clientOf(channel);
  return client === undefined ? `,"replyTo":${JSON.stringify(channel)}` : `,"to":${JSON.stringify(client)}`;
}

function argumentsOf({ task }: Message): string {
  return `the arguments of ${task}`;
}

/** An `undefined` at the end of a call is the same as no argument there. */
function withoutTrailingUndefined(args: readonly unknown[]): readonly unknown[] {
  let { length } = args;
  while (length > 0 && args[length - 1] === undefined) length--;
  return length === args.length ? args : args.slice(0, length);
}

function isEmpty(headers: Readonly<Record<string, Json>>): boolean {
  for (const _ in headers) return false;
  return true;
}
