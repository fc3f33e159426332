import { isDeepStrictEqual } from "node:util";
import type { NamedCall, ScheduledCall, StoredEntry } from "@bullrush/broker";
import type { Scheduled, Timetables } from "./entry.js";

/** An entry; one that is not stored yet lacks what only the store knows. */
export type PreviewEntry = Scheduled & Partial<Pick<StoredEntry, "paused" | "count">>;

/** A future tick. */
export interface PreviewTick {
  /** When the tick is due, in ms since the epoch. */
  readonly due: number;
  readonly entry: string;
  readonly task: string;
  readonly args: readonly unknown[];
}

/**
 * Returns the entries of a beat that begins to lead at `from`, with `given` in its options and
 * `stored` on the broker. Entries that were set at run time stay. For all others the options win,
 * and an entry with an unchanged schedule keeps its progress.
 */
export function preview(optionEntries: readonly NamedCall[], stored: readonly StoredEntry[], from: number): readonly PreviewEntry[] {
  const kept = new Map(stored.map((entry) => [entry.name, entry]));
  const ofOptions = optionEntries.flatMap(({ name, call }): PreviewEntry | readonly [] => {
    const entry = kept.get(name);
    if (entry?.origin === "runtime") return [];
    const starts = (one: ScheduledCall) => Math.max(one.startAt ?? 0, from);
    if (entry !== undefined && isDeepStrictEqual(entry.call.schedule, call.schedule) && starts(entry.call) === starts(call)) {
      return { ...entry, call };
    }
    return { name, call, createdAt: from, paused: entry?.paused ?? false };
  });
  return [...stored.filter(({ origin }) => origin === "runtime"), ...ofOptions];
}

/**
 * Yields the ticks from `from` to before `until`, by time, as if none were missed, no entry changed
 * and every task ended in time. Calls `failed` for an entry that cannot be computed, and yields no
 * more of its ticks.
 */
export function* forecast(
  entries: readonly PreviewEntry[],
  timetables: Timetables,
  from: number,
  until: number,
  failed: (entry: string, error: unknown) => void,
): Generator<PreviewTick, void> {
  // The next tick of each entry, the soonest last.
  const coming: Coming[] = [];

  function advance(one: Pick<Coming, "order" | "name" | "ticks">): void {
    try {
      const { value: tick } = one.ticks.next();
      if (tick === undefined) return;
      const next = { ...one, tick };
      coming.splice(placeOf(next, coming), 0, next);
    } catch (error) {
      failed(one.name, error);
    }
  }

  for (const [order, entry] of entries.entries()) advance({ order, name: entry.name, ticks: ticksOf(entry, timetables, from, until) });
  for (let soonest = coming.pop(); soonest !== undefined; soonest = coming.pop()) {
    yield soonest.tick;
    advance(soonest);
  }
}

interface Coming {
  /** Orders ticks that are due at the same time: the lower comes first. */
  readonly order: number;
  readonly name: string;
  readonly tick: PreviewTick;
  readonly ticks: Iterator<PreviewTick, void>;
}

function placeOf(one: Coming, coming: readonly Coming[]): number {
  let [from, to] = [0, coming.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    const other = coming[middle] as Coming;
    const isSooner = other.tick.due === one.tick.due ? other.order < one.order : other.tick.due < one.tick.due;
    if (isSooner) to = middle;
    else from = middle + 1;
  }
  return from;
}

function* ticksOf(entry: PreviewEntry, timetables: Timetables, from: number, until: number): Generator<PreviewTick, void> {
  const { name, call, paused = false, count = 0 } = entry;
  const timetable = timetables.of(entry);
  let left = paused ? 0 : (call.limit ?? Infinity) - count;
  // Such an interval has no anchor of its own.
  const countsFromCreation = call.schedule.type === "every" && call.startAt === undefined;
  const begin = countsFromCreation ? Math.max(from - 1, entry.createdAt) : from - 1;
  for (let due = timetable.next(begin); left > 0 && due !== undefined && due < until; due = timetable.next(due), left--) {
    yield { due, entry: name, task: call.task, args: call.args ?? [] };
  }
}
