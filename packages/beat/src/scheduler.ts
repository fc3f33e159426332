import type { ScheduledCall, StoredEntry } from "@bullrush/broker";
import type { Timetable } from "./schedules/timetable.js";

/**
 * A tick is missed when it is later than this, in ms: after a takeover, an outage, or a pause of
 * the process.
 */
const tolerance = 1000;

/** Maximum number of an entry's missed ticks that one plan counts, and sends. */
const maxMissed = 1000;

/** What to do with an entry at a time. Times are in ms since the epoch. */
export interface Plan {
  /** The due times of the ticks to send now, in order. */
  readonly dues: readonly number[];
  /** The ticks that were missed; absent if there are none. */
  readonly missed?: Missed;
  /** Whether the server's clock jumped over ticks, which are skipped. */
  readonly jumped?: true;
  /**
   * When the entry is due next; absent if it never is again. A past time means that there are more
   * ticks to catch up with.
   */
  readonly next?: number;
}

export interface Missed {
  /** How many ticks were missed, at least. */
  readonly count: number;
  /** Whether there were more than `count`. */
  readonly more: boolean;
  /** How many of the missed ticks are sent: the first ones of the plan. */
  readonly sent: number;
}

/** A forward jump of the server's clock: the times after `from`, up to `to`, never happened. */
export interface Jump {
  readonly from: number;
  readonly to: number;
}

/** Plans what a leader does with `entry` at `now`. Throws what the timetable throws. */
export function planOf(entry: StoredEntry, timetable: Timetable, now: number, jump?: Jump): Plan {
  const { due, count } = entry;
  const { limit = Infinity, overlap } = entry.call;
  const left = limit - count;
  if (left <= 0) return { dues: [] };
  if (due === undefined) return { dues: [], ...nextOf(timetable.next(countedFrom(entry, now))) };
  const { dues, missed, jumped, following } = foundAt(entry, due, timetable, now, jump);
  // Ticks that `overlap` skips do not count.
  const finished = dues.length >= left && overlap !== "skip";
  return {
    dues: dues.slice(0, left),
    ...(missed !== undefined && missed.count > 0 && { missed: { ...missed, sent: Math.min(missed.sent, left) } }),
    ...(jumped && { jumped }),
    ...(finished ? {} : nextOf(following)),
  };
}

function nextOf(next: number | undefined): { readonly next?: number } {
  return next === undefined ? {} : { next };
}

/**
 * The time after which an entry that is computed at `now` is due, so that no tick is sent twice.
 * After the clock went back, times repeat.
 */
export function computedFrom({ last }: Pick<StoredEntry, "last">, now: number): number {
  return last === undefined || last.due - now > tolerance ? now : Math.max(now, last.due);
}

/** The same for an entry that is to be computed: of one that no beat has seen yet, what was due since it was stored is missed, and not lost. */
function countedFrom(entry: StoredEntry, now: number): number {
  if (entry.last !== undefined) return computedFrom(entry, now);
  return Math.min(now, Math.max(entry.createdAt, entry.resumedAt ?? 0));
}

interface Found extends Pick<Plan, "dues" | "missed" | "jumped"> {
  /** The first tick that is not yet dealt with, whether it is due or not. */
  readonly following: number | undefined;
}

function foundAt(entry: StoredEntry, first: number, timetable: Timetable, now: number, jump: Jump | undefined): Found {
  if (jump === undefined || first > jump.to || now < jump.to) return foundBy(entry, first, timetable, now);
  // Ticks that were due before the jump are handled as they would have been then.
  return first > jump.from ? foundIn(entry, first, timetable, now, jump) : foundBy(entry, first, timetable, jump.from);
}

/** Of the ticks inside a jump, only the latest is sent: none of them was missed. */
function foundIn({ call }: StoredEntry, first: number, timetable: Timetable, now: number, { to }: Jump): Found {
  const { catchUp, deadline = Infinity } = call;
  const latest = lastUpTo(to, first, timetable);
  const late = now - latest;
  const dues = late > deadline || (catchUp === "skip" && late > tolerance) ? [] : [latest];
  return { dues, ...((dues.length === 0 || latest > first) && { jumped: true }), following: timetable.next(latest) };
}

function foundBy({ call }: StoredEntry, first: number, timetable: Timetable, now: number): Found {
  const { deadline = Infinity } = call;
  const { missed, caughtUp, following } = catchUpWith(call, first, timetable, now);
  const timely: number[] = [];
  let due = following;
  while (due !== undefined && due <= now && now - due <= tolerance && timely.length < maxMissed) {
    timely.push(due);
    due = timetable.next(due);
  }
  const inTime = timely.filter((time) => now - time <= deadline);
  const count = missed.count + timely.length - inTime.length;
  return { dues: [...caughtUp, ...inTime], missed: { ...missed, count }, following: due };
}

interface CaughtUp {
  readonly missed: Missed;
  readonly caughtUp: readonly number[];
  /** The first tick that was not missed, or that is left for later. */
  readonly following: number | undefined;
}

function catchUpWith(call: ScheduledCall, first: number, timetable: Timetable, now: number): CaughtUp {
  const { catchUp = "latest", deadline = Infinity } = call;
  const lastMissed = now - tolerance - 1;
  const dues: number[] = [];
  let due: number | undefined = first;
  while (due !== undefined && due <= lastMissed && dues.length < maxMissed) {
    dues.push(due);
    due = timetable.next(due);
  }
  const more = due !== undefined && due <= lastMissed;
  const inTime = (time: number) => now - time <= deadline;
  if (more && catchUp === "all") {
    const caughtUp = dues.filter(inTime);
    // Ticks that are too late are skipped at once, not one by one.
    const following = caughtUp.length > 0 ? due : timetable.next(Math.max(due ?? first, now - deadline) - 1);
    return { missed: { count: dues.length, more, sent: caughtUp.length }, caughtUp, following };
  }
  const latest = more && catchUp === "latest" ? lastUpTo(lastMissed, due ?? first, timetable) : dues.at(-1);
  const chosen = { skip: [], latest: latest === undefined ? [] : [latest], all: dues }[catchUp];
  const caughtUp = chosen.filter(inTime);
  return { missed: { count: dues.length, more, sent: caughtUp.length }, caughtUp, following: more ? timetable.next(lastMissed) : due };
}

/** The last due time at or before `time`, starting at `first`, which is a due time. */
function lastUpTo(time: number, first: number, timetable: Timetable): number {
  let [last, none] = [first, time];
  while (last < none) {
    const middle = Math.floor((last + none) / 2);
    const due = timetable.next(middle);
    if (due !== undefined && due <= time) last = due;
    else none = middle;
  }
  return last;
}
