import type { StoredEntry } from "@bullrush/broker";
import type { Timetable } from "./schedules/timetable.js";

/** A tick is missed when it is later than this, in ms: after a takeover, an outage, a pause of the process. */
const tolerance = 1000;

/** Most missed ticks of an entry that are looked at, and sent, in one go. */
const mostMissed = 1000;

/** What is to be done with an entry at a time. Times are ms since the epoch. */
export interface Plan {
  /** What is to be sent now: when each was due, in order. */
  readonly dues: readonly number[];
  /** Ticks that were missed; absent when none was. */
  readonly missed?: Missed;
  /** When it is due next; absent when it never is any more. It is past when there is more to catch up with. */
  readonly next?: number;
}

export interface Missed {
  /** How many there were, at least. */
  readonly count: number;
  /** Whether there were more than were counted. */
  readonly more: boolean;
  /** How many of them are sent all the same. */
  readonly sent: number;
}

/** What a leader has to do with `entry` at `now`. Throws what its timetable throws. */
export function planOf(entry: StoredEntry, timetable: Timetable, now: number): Plan {
  const { limit = Infinity, overlap } = entry.call;
  const left = limit - entry.count;
  if (left <= 0) return { dues: [] };
  if (entry.due === undefined) return { dues: [], ...nextOf(timetable.next(computedFrom(entry, now))) };
  const timely: number[] = [];
  const { missed, caughtUp, following } = catchUpWith(entry, entry.due, timetable, now);
  let due = following;
  while (due !== undefined && due <= now && now - due <= tolerance && timely.length < mostMissed) {
    timely.push(due);
    due = timetable.next(due);
  }
  const dues = [...caughtUp, ...timely].slice(0, left);
  // Those that are left out because the task before has not ended do not count.
  const finished = dues.length >= left && overlap !== "skip";
  return { dues, ...(missed.count > 0 && { missed }), ...(finished ? {} : nextOf(due)) };
}

function nextOf(next: number | undefined): { readonly next?: number } {
  return next === undefined ? {} : { next };
}

/**
 * The time behind which an entry is due that has no next run yet: what was sent is not sent again when the clock goes backwards, but an
 * interval is never waited for twice.
 */
function computedFrom({ call, last }: StoredEntry, now: number): number {
  return call.schedule.type === "every" || last === undefined ? now : Math.max(now, last.due);
}

interface CaughtUp {
  readonly missed: Missed;
  readonly caughtUp: readonly number[];
  /** The first that was not missed, or that is left for later. */
  readonly following: number | undefined;
}

function catchUpWith({ call }: StoredEntry, first: number, timetable: Timetable, now: number): CaughtUp {
  const { catchUp = "latest", deadline = Infinity } = call;
  const lastMissed = now - tolerance - 1;
  const dues: number[] = [];
  let due: number | undefined = first;
  while (due !== undefined && due <= lastMissed && dues.length < mostMissed) {
    dues.push(due);
    due = timetable.next(due);
  }
  const more = due !== undefined && due <= lastMissed;
  const inTime = (time: number) => now - time <= deadline;
  if (more && catchUp === "all") {
    const caughtUp = dues.filter(inTime);
    // What is too late anyway is not gone through one by one.
    const following = caughtUp.length > 0 ? due : timetable.next(Math.max(due ?? first, now - deadline) - 1);
    return { missed: { count: dues.length, more, sent: caughtUp.length }, caughtUp, following };
  }
  const latest = more && catchUp === "latest" ? lastUpTo(lastMissed, due ?? first, timetable) : dues.at(-1);
  const chosen = { skip: [], latest: latest === undefined ? [] : [latest], all: dues }[catchUp];
  const caughtUp = chosen.filter(inTime);
  return { missed: { count: dues.length, more, sent: caughtUp.length }, caughtUp, following: more ? timetable.next(lastMissed) : due };
}

/** The last due time up to `time`, from `first` on, which is one. */
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
