import { isDeepStrictEqual } from "node:util";
import type { NamedCall, ScheduledCall, StoredEntry } from "@bullrush/broker";
import type { Scheduled, Timetables } from "./entry.js";

/** An entry, as far as one that is not stored yet is known. */
export type ForeseenEntry = Scheduled & Partial<Pick<StoredEntry, "paused" | "count">>;

/** A tick that is to come. */
export interface ForeseenTick {
  /** When it is due, in ms since the epoch. */
  readonly due: number;
  readonly entry: string;
  readonly task: string;
  readonly args: readonly unknown[];
}

/**
 * The entries of a beat that begins to lead at `from`, with `given` in its options, when `stored` are kept: what was set at run time stays, of
 * the others the options count, and what has the same schedule goes on.
 */
export function foreseen(given: readonly NamedCall[], stored: readonly StoredEntry[], from: number): readonly ForeseenEntry[] {
  const kept = new Map(stored.map((entry) => [entry.name, entry]));
  const ofOptions = given.flatMap(({ name, call }): ForeseenEntry | readonly [] => {
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

/** What is due from `from` to before `until`, by time, if nothing is missed or changed and all tasks end in time. */
export function forecast(entries: readonly ForeseenEntry[], timetables: Timetables, from: number, until: number): readonly ForeseenTick[] {
  const ticks = entries.flatMap((entry) => [...ticksOf(entry, timetables, from, until)]);
  return ticks.toSorted((one, other) => one.due - other.due);
}

function* ticksOf(entry: ForeseenEntry, timetables: Timetables, from: number, until: number): Generator<ForeseenTick> {
  const { name, call, paused = false, count = 0 } = entry;
  const timetable = timetables.of(entry);
  let left = paused ? 0 : (call.limit ?? Infinity) - count;
  for (let due = timetable.next(from - 1); left > 0 && due !== undefined && due < until; due = timetable.next(due), left--) {
    yield { due, entry: name, task: call.task, args: call.args ?? [] };
  }
}
