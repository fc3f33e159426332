import { BullrushError } from "../../error.js";
import type { LastTick, StoredEntry } from "../../ports/schedules.js";
import { decodeJson } from "../../protocol/json.js";
import { flawOfCall, isEntryTime, type ScheduledCall } from "../../protocol/schedule.js";

/** An entry as `lua/bullmq/beat/entries.lua` gives it; without a call if its key holds something of another kind, or its name is no text. */
export type EntryReply = readonly [
  name: string,
  due: string | null,
  call: string | null,
  origin: string | null,
  version: string | null,
  paused: string | null,
  createdAt: string | null,
  count: string | null,
  lastDue: string | null,
  lastSentAt: string | null,
  lastId: string | null,
  lastQueue: string | null,
];

/** Longest name of an entry, in characters. */
const longestName = 200;

/** Stands in the place of a call that cannot be read. */
const noCall: ScheduledCall = { task: "", schedule: { type: "function" } };

/** Reads an entry, field by field: one that somebody has spoilt says so. */
export function entryOf(reply: EntryReply): StoredEntry {
  const [name, due, text, origin, version, paused, createdAt, count] = reply;
  const next = timeOf(due);
  const entry = {
    name,
    origin: origin === "options" ? "options" : "runtime",
    version: version ?? "",
    paused: paused !== null,
    ...(next !== undefined && { due: next }),
  } as const;
  try {
    if (name === "" || name.length > longestName) refuse(name, "its name is not 1 to 200 characters long");
    if (version === null || version === "") refuse(name, "it has no version");
    const last = lastOf(reply);
    return {
      ...entry,
      call: callIn(name, text),
      createdAt: timeIn(name, createdAt, "when it was stored"),
      count: countIn(name, count),
      ...(last !== undefined && { last }),
    };
  } catch (error) {
    if (!(error instanceof BullrushError)) throw error;
    const { reason } = (error as BullrushError<"DECODE_ERROR">).details;
    return { ...entry, call: noCall, createdAt: 0, count: 0, spoilt: reason };
  }
}

function callIn(name: string, text: string | null): ScheduledCall {
  if (text === null) refuse(name, "its key holds something else");
  const call = decodeJson(text, whatOf(name));
  const flaw = flawOfCall(call);
  if (flaw !== undefined) refuse(name, flaw);
  return call as ScheduledCall;
}

function lastOf([name, , , , , , , , due, sentAt, id, queue]: EntryReply): LastTick | undefined {
  if (id === null || queue === null) return undefined;
  return { due: timeIn(name, due, "when its last tick was due"), sentAt: timeIn(name, sentAt, "when its last tick was sent"), id, queue };
}

function timeIn(name: string, text: string | null, what: string): number {
  const time = text === null || text === "" ? NaN : Number(text);
  return isEntryTime(time) ? time : refuse(name, `${what} is no time`);
}

function countIn(name: string, text: string | null): number {
  const count = text === null || text === "" ? NaN : Number(text);
  return Number.isSafeInteger(count) && count >= 0 ? count : refuse(name, "how many ticks were sent is no count");
}

/** The time in a score: that of an entry which is to be computed is 0, that of one without a next run is infinite. */
function timeOf(score: string | null): number | undefined {
  const time = Number(score);
  return time > 0 && Number.isFinite(time) ? time : undefined;
}

function whatOf(name: string): string {
  return `entry "${name.slice(0, longestName)}" of beat`;
}

function refuse(name: string, reason: string): never {
  throw new BullrushError("DECODE_ERROR", { what: whatOf(name), reason });
}
