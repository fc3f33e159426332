const minute = 60_000;
const hour = 60 * minute;

const formats = new Map<string, Intl.DateTimeFormat>();

const offsets = new Map<string, number>();

/**
 * What the clocks of `zone` show at `time`, a full minute, as if that were UTC. They are changed at
 * quarters of hours only.
 */
export function wallAt(zone: string, time: number): number {
  const quarter = Math.floor(time / (15 * minute)) * 15 * minute;
  const key = `${zone} ${quarter}`;
  let offset = offsets.get(key);
  if (offset === undefined) offsets.set(key, (offset = shownAt(zone, quarter) - quarter));
  return time + offset;
}

function shownAt(zone: string, time: number): number {
  let format = formats.get(zone);
  if (format === undefined) {
    const numeric = { year: "numeric", month: "numeric", day: "numeric", hour: "numeric", minute: "numeric" } as const;
    formats.set(zone, (format = new Intl.DateTimeFormat("en-US", { timeZone: zone, hourCycle: "h23", ...numeric })));
  }
  // "3/29/2026, 02:30"; formatToParts() takes more than twice as long.
  const [month, date, year, hours, minutes] = (format.format(time).match(/\d+/g) ?? []).map(Number);
  return Date.UTC(year!, month! - 1, date, hours, minutes);
}

/** When the clocks of `zone` are changed in a year: the first minute of the new time. */
export function changesOf(zone: string, year: number): readonly number[] {
  const offset = (time: number) => wallAt(zone, time) - time;
  const found: number[] = [];
  for (let time = Date.UTC(year, 0, 1); time < Date.UTC(year + 1, 0, 1); time += 6 * hour) {
    if (offset(time) === offset(time + 6 * hour)) continue;
    let at = time;
    while (offset(at) === offset(time)) at += minute;
    found.push(at);
  }
  return found;
}

/**
 * The minutes from `from` to `to` at which an expression of five fields is due, found by looking at
 * each. A clock that is shown twice counts the first time, and what is skipped as much later as the
 * clock is put forward, unless the expression names every hour.
 */
export function scan(expression: string, zone: string, from: number, to: number): readonly number[] {
  const matches = matcherOf(expression);
  const everyHour = expression.split(" ")[1] === "*";
  const due = new Set<number>();
  const seen = new Set<number>();
  let before: number | undefined;
  // A day before, for what its clocks have shown.
  for (let time = Math.floor(from / minute) * minute - 24 * hour; time <= to; time += minute) {
    const wall = wallAt(zone, time);
    if (!everyHour && before !== undefined) {
      for (let skipped = before + minute; skipped < wall; skipped += minute)
        if (matches(skipped)) due.add(time + skipped - before - minute);
    }
    if (matches(wall) && (everyHour || !seen.has(wall))) due.add(time);
    seen.add(wall);
    before = wall;
  }
  return [...due].filter((time) => time > from && time <= to).toSorted((one, other) => one - other);
}

function matcherOf(expression: string): (wall: number) => boolean {
  const [minutes, hours, ...days] = expression.split(" ") as [string, string, string, string, string];
  const [inMinutes, inHours, onDay] = [rangeOf(minutes, 0, 59), rangeOf(hours, 0, 23), dayMatcherOf(days.join(" "))];
  return (wall) => {
    const at = new Date(wall);
    return inMinutes.has(at.getUTCMinutes()) && inHours.has(at.getUTCHours()) && onDay(wall);
  };
}

/**
 * Whether a day of the wall matches day of month, month and day of week, by the rule of vixie cron:
 * its flags `DOM_STAR` and `DOW_STAR` look at the first character of a field.
 */
export function dayMatcherOf(days: string): (wall: number) => boolean {
  const [dates, months, weekdays] = days.split(" ") as [string, string, string];
  const hasStar = dates.startsWith("*") || weekdays.startsWith("*");
  const [inDates, inMonths] = [rangeOf(dates, 1, 31), rangeOf(months, 1, 12)];
  const inWeekdays = new Set([...rangeOf(weekdays, 0, 7)].map((weekday) => weekday % 7));
  return (wall) => {
    const at = new Date(wall);
    const [date, weekday] = [inDates.has(at.getUTCDate()), inWeekdays.has(at.getUTCDay())];
    return inMonths.has(at.getUTCMonth() + 1) && (hasStar ? date && weekday : date || weekday);
  };
}

/** The numbers of a field: `*`, `5`, `1-3`, with `/2` behind, separated by commas. */
function rangeOf(field: string, least: number, most: number): ReadonlySet<number> {
  const numbers = new Set<number>();
  for (const part of field.split(",")) {
    const [, start, end, step = "1"] = /^(?:\*|(\d+)(?:-(\d+))?)(?:\/(\d+))?$/.exec(part) ?? [];
    const last = Number(end ?? (start === undefined || part.includes("/") ? most : start));
    for (let number = Number(start ?? least); number <= last; number += Number(step)) numbers.add(number);
  }
  return numbers;
}
