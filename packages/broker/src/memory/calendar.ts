import type { Advance, LastTick, ScheduleNews, StoredEntry, TickCounts } from "../ports/schedules.js";
import { decodeJson } from "../protocol/json.js";
import type { ScheduledCall } from "../protocol/schedule.js";
import { Topic } from "./topic.js";

/** An entry, as a calendar holds it. Times are ms since the epoch. */
export interface CalendarEntry {
  /** The recurring call, as JSON. */
  text: string;
  origin: StoredEntry["origin"];
  version: string;
  isPaused: boolean;
  createdAt: number;
  /**
   * The next run: 0 if it is to be computed, `Infinity` if there is none, also while it is paused.
   */
  due: number;
  count: number;
  last?: LastTick;
  /** The last advance: by which term, from which time, and what came of it. */
  advanced?: { readonly term: string; readonly due: number; readonly counts: TickCounts };
}

/** The recurring calls of one app, and the term of the beat that leads. */
export class Calendar {
  readonly entries = new Map<string, CalendarEntry>();
  /**
   * Names of entries of the options that somebody has removed, until a term begins or they are
   * stored again.
   */
  readonly removed = new Set<string>();
  readonly news = new Topic<ScheduleNews>();
  epoch = 0;
  /** `until`: in ms since the epoch. */
  leader: { readonly token: string; until: number } | undefined;

  /** Whether the term with this token lasts at `now`. */
  isLeader(token: string, now: number): boolean {
    return this.leader?.token === token && this.leader.until > now;
  }

  /**
   * Stores an entry anew: it is to be computed, unless it is paused, and counts from 0. Its last
   * tick stays known, due now at the latest.
   */
  store(name: string, { text, origin, version }: Pick<CalendarEntry, "text" | "origin" | "version">, now: number): void {
    const { isPaused = false, last } = this.entries.get(name) ?? {};
    const due = isPaused ? Infinity : 0;
    this.removed.delete(name);
    const known = last && { last: { ...last, due: Math.min(last.due, now) } };
    this.entries.set(name, { text, origin, version, isPaused, createdAt: now, due, count: 0, ...known });
  }

  read(name: string): StoredEntry | undefined {
    const entry = this.entries.get(name);
    if (entry === undefined) return undefined;
    const { text, origin, version, isPaused: paused, createdAt, count, due, last } = entry;
    const call = decodeJson(text, `entry "${name}" of beat`) as ScheduledCall;
    const hasDue = due > 0 && due !== Infinity;
    return { name, call, origin, version, paused, createdAt, count, ...(hasDue && { due }), ...(last && { last: { ...last } }) };
  }
}

/** Whether an entry is as it was when `advance` was decided. */
export function isUnchanged({ version, due }: CalendarEntry, advance: Advance): boolean {
  return version === advance.version && due === (advance.due ?? 0);
}
