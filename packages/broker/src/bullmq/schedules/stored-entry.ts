import { BullrushError } from "../../error.js";
import type { StoredEntry } from "../../ports/schedule-store.js";
import { decodeJson } from "../../protocol/json.js";
import type { ScheduledCall } from "../../protocol/schedule.js";

/** An entry as `lua/bullmq/beat/entries.lua` gives it. */
export type EntryReply = readonly [
  name: string,
  due: string | null,
  call: string,
  origin: string,
  version: string,
  paused: string | null,
  createdAt: string,
  count: string,
  lastDue: string | null,
  lastSentAt: string | null,
  lastId: string | null,
  lastQueue: string | null,
];

/** Reads an entry. Throws `DECODE_ERROR` if somebody has spoilt it. */
export function entryOf(reply: EntryReply): StoredEntry {
  const [name, due, text, origin, version, paused, createdAt, count, lastDue, lastSentAt, id, queue] = reply;
  const what = `entry "${name}" of beat`;
  const call = decodeJson(text, what);
  if (typeof call !== "object" || call === null || !("task" in call) || !("schedule" in call)) {
    throw new BullrushError("DECODE_ERROR", { what, reason: "it is no recurring call" });
  }
  const next = timeOf(due);
  return {
    name,
    call: call as ScheduledCall,
    origin: origin === "options" ? "options" : "runtime",
    version,
    paused: paused !== null,
    createdAt: Number(createdAt),
    count: Number(count),
    ...(next !== undefined && { due: next }),
    ...(id !== null && queue !== null && { last: { due: Number(lastDue), sentAt: Number(lastSentAt), id, queue } }),
  };
}

/** The time in a score: that of an entry which is to be computed is 0, that of one without a next run is infinite. */
function timeOf(score: string | null): number | undefined {
  const time = Number(score);
  return time > 0 && Number.isFinite(time) ? time : undefined;
}
