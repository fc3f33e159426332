import { crontab as crontabOf } from "@bullrush/client";
import { array, assert, boolean, constantFrom, integer, nat, oneof, property, record, tuple } from "fast-check";
import { describe, expect, it } from "vitest";
import { crontab } from "../../src/schedules/crontab.js";
import { changesOf, dayMatcherOf, scan, wallAt } from "./wall.js";

const hour = 60 * 60 * 1000;
const day = 24 * hour;

/**
 * With clocks that are changed at midnight, by half an hour or by two, in the other half of the
 * year, for a month of fasting, and not at all.
 */
const zones = [
  ..."Europe/Berlin Europe/London Europe/Lisbon Europe/Dublin Europe/Chisinau Europe/Athens Europe/Moscow Europe/Istanbul".split(" "),
  ..."America/New_York America/Chicago America/Denver America/Phoenix America/Los_Angeles America/Anchorage America/St_Johns".split(" "),
  ..."America/Havana America/Santiago America/Asuncion America/Sao_Paulo America/Nuuk America/Scoresbysund America/Adak".split(" "),
  ..."Africa/Cairo Africa/Casablanca Africa/El_Aaiun Asia/Beirut Asia/Jerusalem Asia/Gaza Asia/Kolkata Asia/Kathmandu".split(" "),
  ..."Asia/Tehran Asia/Tokyo Australia/Sydney Australia/Adelaide Australia/Lord_Howe Pacific/Auckland Pacific/Chatham".split(" "),
  ..."Pacific/Easter Atlantic/Azores Antarctica/Troll UTC".split(" "),
];

/** All due times behind `from`, up to `to`. */
function times(expression: string, zone: string, from: number, to: number): readonly number[] {
  const timetable = crontab(expression, zone);
  const found: number[] = [];
  for (let due = timetable.next(from); due !== undefined && due <= to; due = timetable.next(due)) found.push(due);
  return found;
}

const shown = (list: readonly number[]) => list.map((time) => new Date(time).toISOString());

describe("crontab", () => {
  it.each([
    ["2026-03-29", "30 2 * * *", ["2026-03-29T01:30:00.000Z"]],
    ["2026-10-25", "30 2 * * *", ["2026-10-25T00:30:00.000Z"]],
    ["2026-03-29", "*/20 2 * * *", ["2026-03-29T01:00:00.000Z", "2026-03-29T01:20:00.000Z", "2026-03-29T01:40:00.000Z"]],
    ["2026-10-25", "59 1-3 * * *", ["2026-10-24T23:59:00.000Z", "2026-10-25T00:59:00.000Z", "2026-10-25T02:59:00.000Z"]],
  ])("%s in Berlin, %s: due once for each time that it names", (date, expression, expected) => {
    const midnight = Date.parse(`${date}T00:00:00Z`);
    expect(shown(times(expression, "Europe/Berlin", midnight - 2 * hour, midnight + 12 * hour))).toEqual(expected);
  });

  it.each([
    ["2026-03-29", 46],
    ["2026-10-25", 50],
  ])("%s in Berlin, */30: due every half hour of real time", (date, halfHours) => {
    const summer = date === "2026-03-29" ? 1 : 2;
    const midnight = Date.parse(`${date}T00:00:00Z`) - summer * hour;
    const found = times("*/30 * * * *", "Europe/Berlin", midnight - 1, midnight + (halfHours / 2) * hour - 1);
    expect(found).toEqual(Array.from({ length: halfHours }, (_, index) => midnight + (index * hour) / 2));
  });

  it("seconds field: due on each of them, never late", () => {
    const from = Date.parse("2026-03-29T00:59:58.500Z");
    expect(shown(times("*/2 * * * * *", "Europe/Berlin", from, from + 5000))).toEqual([
      "2026-03-29T01:00:00.000Z",
      "2026-03-29T01:00:02.000Z",
    ]);
  });

  it("day that comes once in four years: found", () => {
    const from = Date.parse("2026-06-01T00:00:00Z");
    expect(crontab("0 12 29 2 *", "Europe/Berlin").next(from)).toBe(Date.parse("2028-02-29T11:00:00Z"));
  });

  describe("day of month or day of week begins with a star: both must match, else either is enough", () => {
    const march = Date.UTC(2026, 2, 1);
    const datesOf = (expression: string, months = 1) =>
      times(expression, "UTC", march - 1, Date.UTC(2026, 2 + months, 1) - 1).map((time) => new Date(time).toISOString().slice(5, 10));

    it.each([
      ["0 0 */3 * 1-5", 1, "03-04 03-10 03-13 03-16 03-19 03-25 03-31"],
      ["0 0 0 */3 * 1-5", 1, "03-04 03-10 03-13 03-16 03-19 03-25 03-31"],
      ["0 0 */2 * 1", 1, "03-09 03-23"],
      ["0 0 13 * */2", 6, "06-13 08-13"],
      ["0 0 */1 * 5", 1, "03-06 03-13 03-20 03-27"],
      ["0 0 ?/3 * sun", 1, "03-01 03-22"],
      ["0 0 */2 * 5L", 1, "03-27"],
      ["0 0 L * */2", 2, "03-31 04-30"],
      ["0 0 13 * 5", 1, "03-06 03-13 03-20 03-27"],
      ["0 0 1,15 * 1", 1, "03-01 03-02 03-09 03-15 03-16 03-23 03-30"],
      ["0 0 1-31/10 * 1", 1, "03-01 03-02 03-09 03-11 03-16 03-21 03-23 03-30 03-31"],
      ["0 0 */10 * *", 1, "03-01 03-11 03-21 03-31"],
      ["0 0 * * */3", 1, "03-01 03-04 03-07 03-08 03-11 03-14 03-15 03-18 03-21 03-22 03-25 03-28 03-29"],
    ])("%s in %d months: due on cron's days", (expression, months, expected) =>
      expect(datesOf(expression, months).join(" ")).toBe(expected),
    );

    it("object form: the same days as the expression", () => {
      const { expression } = crontabOf({ minute: 0, hour: 0, dayOfMonth: "*/3", dayOfWeek: [1, 2, 3, 4, 5] });
      expect(datesOf(expression)).toEqual(datesOf("0 0 */3 * 1-5"));
    });

    it("days that coincide once in forty years: found", () => {
      expect(shown([crontab("0 0 */2 2 1#5", "UTC").next(Date.UTC(2072, 2, 1)) ?? 0])).toEqual(["2112-02-29T00:00:00.000Z"]);
    });

    const from = (least: number, most: number) => integer({ min: least, max: most });
    const range = (least: number, most: number) =>
      tuple(from(least, most), from(least, most)).map(([one, other]) => `${Math.min(one, other)}-${Math.max(one, other)}`);
    const field = (least: number, most: number) => {
      const several = array(from(least, most), { minLength: 1, maxLength: 3 }).map((list) => [...new Set(list)].join(","));
      const steps = tuple(oneof(constantFrom("*"), range(least, most)), from(1, most)).map(([whole, step]) => `${whole}/${step}`);
      return oneof(constantFrom("*"), several, range(least, most), steps);
    };
    const given = record({
      // Days on which each month has one of them: an expression must be due at all.
      dayOfMonth: field(1, 28),
      monthOfYear: oneof(constantFrom("*"), field(1, 12)),
      dayOfWeek: field(0, 6),
      second: boolean(),
      zone: constantFrom(...zones),
      year: from(2024, 2040),
    });

    it("matches a model of its days, in each zone, for a year", () => {
      const inEachYear = property(given, ({ second, zone, year, ...days }) => {
        const { expression } = crontabOf({ minute: 0, hour: 12, ...(second && { second: 0 }), ...days });
        const [begin, end] = [Date.UTC(year, 0, 1), Date.UTC(year + 1, 0, 1)];
        const matches = dayMatcherOf(`${days.dayOfMonth} ${days.monthOfYear} ${days.dayOfWeek}`);
        const noons = Array.from({ length: (end - begin) / day }, (_, index) => begin + index * day + 12 * hour);
        const found = times(expression, zone, begin - day, end + day).map((time) => wallAt(zone, time));
        expect(shown(found.filter((wall) => wall >= begin && wall < end))).toEqual(shown(noons.filter(matches)));
      });
      assert(inEachYear, { numRuns: 300 });
    });
  });

  it("zones: at least forty are tried", () => expect(new Set(zones).size).toBeGreaterThanOrEqual(40));

  const days = zones.flatMap((zone) => {
    const changes = [2026, 2027].flatMap((year) => changesOf(zone, year));
    // Where nothing is changed, any day will do.
    return (changes.length > 0 ? changes : [Date.UTC(2026, 2, 29), Date.UTC(2027, 9, 31)]).map((change) => ({ zone, change }));
  });

  const hours = oneof(constantFrom("*", "*", "*/2", "0", "1-3", "2", "2,3", "23", "0-23/3"), nat(23).map(String));
  const minutes = oneof(constantFrom("*", "*/30", "*/7", "0", "30", "0,29,59", "15-45/5"), nat(59).map(String));
  const dates = constantFrom(
    "* * *",
    "* * *",
    "* * *",
    "* * 0",
    "* * 1-5",
    "28-31 * *",
    "25-31 3,10 *",
    "1 * 0",
    "29 3,10,11 6,0",
    "*/3 * 1-5",
    "* * */2",
    "25-31 * */2",
    "*/2 * */3",
  );

  it("random expressions at each clock change of 2026 and 2027: due as a scan of all minutes finds", { timeout: 300_000 }, () => {
    const inEveryZone = property(constantFrom(...days), minutes, hours, dates, ({ zone, change }, minute, named, date) => {
      const expression = `${minute} ${named} ${date}`;
      const [from, to] = [change - 30 * hour - 1, change + 30 * hour];
      expect(shown(times(expression, zone, from, to))).toEqual(shown(scan(expression, zone, from, to)));
    });
    assert(inEveryZone, { numRuns: 400 });
  });

  it.each(days)("clock change of $zone at $change: due as a scan finds, for every hour", ({ zone, change }) => {
    const [from, to] = [change - 4 * hour - 1, change + 4 * hour];
    for (const expression of ["30 2 * * *", "*/30 * * * *", "*/20 0-4 * * *", "10 */2 * * *"]) {
      expect([expression, shown(times(expression, zone, from, to))]).toEqual([expression, shown(scan(expression, zone, from, to))]);
    }
  });
});
