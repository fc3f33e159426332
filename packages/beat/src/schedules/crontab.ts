import { cronOf } from "@bullrush/client";
import type { Timetable } from "./timetable.js";
import { zoneOf } from "./zone.js";

/**
 * A cron schedule in a time zone. An expression that names hours follows local time: a tick inside
 * a skipped hour is due later by the length of the skip, and a repeated time is due the first time
 * only. An expression for every hour follows elapsed time. The library computes local times only,
 * without clock changes: it handles no changes other than one hour, and its answers there are not
 * stable.
 */
export function crontab(expression: string, timezone: string): Timetable {
  const cron = cronOf(expression);
  const zone = zoneOf(timezone);

  function next(after: number): number {
    const from = after + 1;
    const offset = zone.offsetAt(from);
    const change = cron.everyHour ? undefined : zone.recentChange(from);
    // A local time that repeats was due the first time.
    const shown = change === undefined ? -Infinity : change.at + change.before - 1;
    let due = cron.next(Math.max(after + offset, shown)) - offset;
    if (change !== undefined && change.before < offset) {
      const skipped = cron.next(after + change.before);
      if (skipped < change.at + change.since) due = Math.min(due, skipped - change.before);
    }
    const ahead = zone.change(from, due);
    // There is no tick up to that time.
    return ahead === undefined ? due : next(ahead.at - 1);
  }

  return { next };
}
