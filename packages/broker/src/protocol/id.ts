import { hash, randomUUID } from "node:crypto";
import { BullrushError } from "../errors/error.js";
import { typeOf } from "../errors/words.js";

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** A fresh task id (UUID version 4). */
export function newId(): string {
  return randomUUID();
}

/** Id of call `number` of the flow `flow`: the same, however often it is made. */
export function callId(flow: string, number: number): string {
  named.write(flow.replaceAll("-", ""), "hex");
  const end = bytesOfId + named.write(String(number), bytesOfId, "latin1");
  return uuidOf(named.subarray(0, end));
}

/** The UUID of version 5 of a namespace's bytes and a name behind them, of one hash and nothing else. */
function uuidOf(bytes: Buffer): string {
  const digest = hash("sha1", bytes, "hex");
  const variant = "89ab"[Number.parseInt(digest.charAt(16), 16) % 4];
  return `${digest.slice(0, 8)}-${digest.slice(8, 12)}-5${digest.slice(13, 16)}-${variant}${digest.slice(17, 20)}-${digest.slice(20, 32)}`;
}

/** The UUID of version 5 of `name` in the namespace `space`. Throws a TypeError if that is no UUID. */
function uuidIn(space: string, name: string): string {
  if (!isTaskId(space)) throw new TypeError("Invalid UUID");
  return uuidOf(Buffer.concat([Buffer.from(space.replaceAll("-", ""), "hex"), Buffer.from(name)]));
}

const bytesOfId = 16;

/** What an id is made of: the id of its flow, and its number, of 16 digits at most. Used again for each: a worker makes one for each message of a flow. */
const named = Buffer.alloc(bytesOfId + 16);

/** Id of group `number` of the flow `flow`: the same, however often it is made. */
export function groupId(flow: string, number: number): string {
  return uuidIn(flow, `group ${number}`);
}

/** Id of the flow that runs in the place of task `id`: the same, however often it is made. */
export function replacementId(id: string): string {
  return uuidIn(id, "replacement");
}

/** Id of what task `id` adds to its group by call `ordinal` of one run, counted from 0: the same at every run. */
export function additionId(id: string, ordinal: number): string {
  return uuidIn(id, `addition ${ordinal}`);
}

/** What the ids of ticks are made in. */
const ticks = "7d1f6c2a-4a0e-4f0b-9a55-1d0c1b6f2e38";

/** Id of the tick of a beat entry that was due at `due`, in ms since the epoch: the same, however often it is made. */
export function tickId(entry: string, version: string, due: number): string {
  return uuidIn(ticks, JSON.stringify([entry, version, due]));
}

/** Whether `id` may be a task id: a UUID, nothing else, because BullMQ keeps an id beside keys such as `wait` and `events`. */
export function isTaskId(id: unknown): id is string {
  return typeof id === "string" && uuid.test(id);
}

/** `id` in lower case. Throws `INVALID_TASK_ID` if it is not a UUID. */
export function checkTaskId(id: unknown): string {
  if (isTaskId(id)) return id.toLowerCase();
  throw new BullrushError("INVALID_TASK_ID", {
    id: typeof id === "string" || typeof id === "number" ? String(id).slice(0, 80) : typeOf(id),
  });
}

/** The id of the copy of task `id` in `queue`, the same at every call: fanout and topic exchanges send one copy to each matching queue. */
export function copyId(id: string, queue: string): string {
  return uuidIn(id, queue);
}
