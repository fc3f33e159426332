import { hash, randomUUID } from "node:crypto";
import { BullrushError } from "../errors/error.js";
import { typeOf } from "../errors/words.js";

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** A fresh task id (UUID version 4). */
export function newId(): string {
  return randomUUID();
}

/** Id of call `number` of flow `flow`; always the same. */
export function callId(flow: string, number: number): string {
  named.write(flow.replaceAll("-", ""), "hex");
  const end = bytesOfId + named.write(String(number), bytesOfId, "latin1");
  return uuidOf(named.subarray(0, end));
}

/**
 * UUID version 5 of a namespace's bytes with a name behind them, with one hash and no further
 * allocation.
 */
function uuidOf(bytes: Buffer): string {
  const digest = hash("sha1", bytes, "hex");
  const variant = "89ab"[Number.parseInt(digest.charAt(16), 16) % 4];
  return `${digest.slice(0, 8)}-${digest.slice(8, 12)}-5${digest.slice(13, 16)}-${variant}${digest.slice(17, 20)}-${digest.slice(20, 32)}`;
}

/** UUID version 5 of `name` in the namespace `space`. Throws a TypeError if `space` is no UUID. */
function uuidIn(space: string, name: string): string {
  if (!isTaskId(space)) throw new TypeError("Invalid UUID");
  return uuidOf(Buffer.concat([Buffer.from(space.replaceAll("-", ""), "hex"), Buffer.from(name)]));
}

const bytesOfId = 16;

/**
 * Input of `callId`: the id of a flow, and a number of at most 16 digits. Reused, since a worker
 * makes an id for each message of a flow.
 */
const named = Buffer.alloc(bytesOfId + 16);

/** Id of group `number` of flow `flow`; always the same. */
export function groupId(flow: string, number: number): string {
  return uuidIn(flow, `group ${number}`);
}

/** Id of the flow that replaces task `id`; always the same. */
export function replacementId(id: string): string {
  return uuidIn(id, "replacement");
}

/**
 * Id of the member that task `id` adds to its group by call `ordinal` of one run, counted from 0;
 * the same at every run.
 */
export function additionId(id: string, ordinal: number): string {
  return uuidIn(id, `addition ${ordinal}`);
}

/** Namespace of the ids of ticks. */
const ticks = "7d1f6c2a-4a0e-4f0b-9a55-1d0c1b6f2e38";

/**
 * Id of the tick of a beat entry that was due at `due`, in ms since the epoch; always the same.
 */
export function tickId(entry: string, version: string, due: number): string {
  return uuidIn(ticks, JSON.stringify([entry, version, due]));
}

/**
 * Whether `id` may be a task id: only a UUID, since BullMQ keeps ids beside keys such as `wait` and
 * `events`.
 */
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

/**
 * Id of the copy of task `id` in `queue`; always the same. Fanout and topic exchanges send a copy
 * to each matching queue.
 */
export function copyId(id: string, queue: string): string {
  return uuidIn(id, queue);
}
