import { cronOf } from "@bullrush/client";
import type { Timetable } from "./timetable.js";
import { zoneOf } from "./zone.js";

/**
 * As cron says, in a time zone. If the expression names hours, it goes by the clock on the wall: what the clock skips is due as much later
 * as the clock is put forward, what it shows twice is due the first time. With every hour it goes by real time. The library is asked for
 * times on the wall alone, where there are no changes: it knows no answer for clocks that change by other than an hour, and not the same
 * one at every question.
 */
export function crontab(expression: string, timezone: string): Timetable {
  const cron = cronOf(expression);
  const zone = zoneOf(timezone);

  function next(after: number): number {
    const from = after + 1;
    const offset = zone.offsetAt(from);
    const change = cron.everyHour ? undefined : zone.recentChange(from);
    // What the clock shows for the second time has been due.
    const shown = change === undefined ? -Infinity : change.at + change.before - 1;
    let due = cron.next(Math.max(after + offset, shown)) - offset;
    if (change !== undefined && change.before < offset) {
      const skipped = cron.next(after + change.before);
      if (skipped < change.at + change.since) due = Math.min(due, skipped - change.before);
    }
    const ahead = zone.change(from, due);
    // Up to then there is nothing.
    return ahead === undefined ? due : next(ahead.at - 1);
  }

  return { next };
}
