import { assert, constantFrom, nat, oneof, property } from "fast-check";
import { describe, expect, it } from "vitest";
import { crontab } from "../../src/schedules/crontab.js";
import { changesOf, scan } from "./wall.js";

const hour = 60 * 60 * 1000;

/**
 * With clocks that are changed at midnight, by half an hour or by two, in the other half of the year, for a month of fasting, and not at
 * all.
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
  ])("on %s in Berlin %s is due once for each that it names", (date, expression, expected) => {
    const midnight = Date.parse(`${date}T00:00:00Z`);
    expect(shown(times(expression, "Europe/Berlin", midnight - 2 * hour, midnight + 12 * hour))).toEqual(expected);
  });

  it.each([
    ["2026-03-29", 46],
    ["2026-10-25", 50],
  ])("on %s in Berlin */30 is due every half hour, as real time goes", (date, halfHours) => {
    const summer = date === "2026-03-29" ? 1 : 2;
    const midnight = Date.parse(`${date}T00:00:00Z`) - summer * hour;
    const found = times("*/30 * * * *", "Europe/Berlin", midnight - 1, midnight + (halfHours / 2) * hour - 1);
    expect(found).toEqual(Array.from({ length: halfHours }, (_, index) => midnight + (index * hour) / 2));
  });

  it("knows seconds, and is never late for one", () => {
    const from = Date.parse("2026-03-29T00:59:58.500Z");
    expect(shown(times("*/2 * * * * *", "Europe/Berlin", from, from + 5000))).toEqual([
      "2026-03-29T01:00:00.000Z",
      "2026-03-29T01:00:02.000Z",
    ]);
  });

  it("finds a day that comes once in four years", () => {
    const from = Date.parse("2026-06-01T00:00:00Z");
    expect(crontab("0 12 29 2 *", "Europe/Berlin").next(from)).toBe(Date.parse("2028-02-29T11:00:00Z"));
  });

  it("has looked at forty zones", () => expect(new Set(zones).size).toBeGreaterThanOrEqual(40));

  const days = zones.flatMap((zone) => {
    const changes = [2026, 2027].flatMap((year) => changesOf(zone, year));
    // Where nothing is changed, any day will do.
    return (changes.length > 0 ? changes : [Date.UTC(2026, 2, 29), Date.UTC(2027, 9, 31)]).map((change) => ({ zone, change }));
  });

  const hours = oneof(constantFrom("*", "*", "*/2", "0", "1-3", "2", "2,3", "23", "0-23/3"), nat(23).map(String));
  const minutes = oneof(constantFrom("*", "*/30", "*/7", "0", "30", "0,29,59", "15-45/5"), nat(59).map(String));
  const dates = constantFrom("* * *", "* * *", "* * *", "* * 0", "* * 1-5", "28-31 * *", "25-31 3,10 *", "1 * 0", "29 3,10,11 6,0");

  it("is due when a scan of all minutes around each change of 2026 and 2027 says", { timeout: 300_000 }, () => {
    const inEveryZone = property(constantFrom(...days), minutes, hours, dates, ({ zone, change }, minute, named, date) => {
      const expression = `${minute} ${named} ${date}`;
      const [from, to] = [change - 30 * hour - 1, change + 30 * hour];
      expect(shown(times(expression, zone, from, to))).toEqual(shown(scan(expression, zone, from, to)));
    });
    assert(inEveryZone, { numRuns: 400 });
  });

  it.each(days)("at the change of $zone at $change, whatever hour is named", ({ zone, change }) => {
    const [from, to] = [change - 4 * hour - 1, change + 4 * hour];
    for (const expression of ["30 2 * * *", "*/30 * * * *", "*/20 0-4 * * *", "10 */2 * * *"]) {
      expect([expression, shown(times(expression, zone, from, to))]).toEqual([expression, shown(scan(expression, zone, from, to))]);
    }
  });
});
