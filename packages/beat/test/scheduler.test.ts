import type { ScheduledCall, StoredEntry } from "@bullrush/broker";
import { describe, expect, it } from "vitest";
import { Timetables } from "../src/entry.js";
import { planOf, type Jump, type Plan } from "../src/scheduler.js";

const start = Date.parse("2026-01-01T00:00:00Z");
const [second, day] = [1000, 24 * 60 * 60 * 1000];
const timetables = new Timetables({ timezone: "UTC", beat: [] });

/** An entry that is due every 10 s from `start` on. */
function entry(call: Partial<ScheduledCall> = {}, kept: Partial<StoredEntry> = {}): StoredEntry {
  const whole = { task: "t", schedule: { type: "every", every: 10 * second }, ...call } as const;
  return { name: "e", version: "v", origin: "options", paused: false, createdAt: start, count: 0, call: whole, ...kept };
}

/** The plan at `now`, times in seconds from `start`. */
function planned(given: StoredEntry, now: number, jump?: Jump): Plan {
  const { dues, next, ...others } = planOf(given, timetables.of(given), start + now * second, jump);
  const relative = (time: number) => (time - start) / second;
  return { dues: dues.map(relative), ...(next !== undefined && { next: relative(next) }), ...others };
}

const due = (seconds: number) => ({ due: start + seconds * second });

describe("entry that is not computed yet", () => {
  it("interval: due one interval after it was stored, then on that grid", () => {
    expect(planned(entry(), 0)).toEqual({ dues: [], next: 10 });
    expect(planned(entry(), 34.5)).toEqual({ dues: [], next: 40 });
  });

  it("interval and a clock that went back before its beginning: continues", () => {
    expect(planned(entry(), -600.5)).toEqual({ dues: [], next: -600 });
    expect(planned(entry({}, due(-600)), -600)).toEqual({ dues: [-600], next: -590 });
  });

  it("startAt: due one interval after it, then on that grid", () => {
    const startAt = start + 3 * second;
    expect(planned(entry({ startAt }), 0)).toEqual({ dues: [], next: 3 });
    expect(planned(entry({ startAt }), 3)).toEqual({ dues: [], next: 13 });
  });

  it("endAt: never due after it", () => {
    expect(planned(entry({ endAt: start + 10 * second }), 5)).toEqual({ dues: [], next: 10 });
    expect(planned(entry({ endAt: start + 10 * second }), 10)).toEqual({ dues: [] });
  });

  it("tick sent a moment ago: not due again, unless the clock has gone back", () => {
    const last = { due: start + 60 * second, sentAt: start + 60 * second, id: "i", queue: "q" };
    const schedule = { type: "crontab", expression: "* * * * *" } as const;
    expect(planned(entry({ schedule }, { last }), 59.5)).toEqual({ dues: [], next: 120 });
    expect(planned(entry({ schedule }, { last }), -600)).toEqual({ dues: [], next: -540 });
    expect(planned(entry({}, { last, createdAt: start - day }), -600)).toEqual({ dues: [], next: -590 });
  });
});

describe("entry that is due", () => {
  it("late tick: sent, and the next one counts from when it was due", () => {
    expect(planned(entry({}, due(10)), 10)).toEqual({ dues: [10], next: 20 });
    expect(planned(entry({}, due(10)), 11)).toEqual({ dues: [10], next: 20 });
  });

  it("several ticks within the last second: all are sent", () => {
    const schedule = { type: "every", every: 250 } as const;
    expect(planned(entry({ schedule }, due(10)), 10.6)).toEqual({ dues: [10, 10.25, 10.5], next: 10.75 });
  });

  it("not due yet: nothing is sent", () => expect(planned(entry({}, due(10)), 9)).toEqual({ dues: [], next: 10 }));

  it("limit reached: no next run", () => {
    expect(planned(entry({ limit: 3 }, { ...due(30), count: 2 }), 30)).toEqual({ dues: [30] });
    expect(planned(entry({ limit: 3 }, { ...due(40), count: 3 }), 40)).toEqual({ dues: [] });
  });

  it('limit reached with overlap "skip": a next run, because the last tick may be left out', () => {
    expect(planned(entry({ limit: 3, overlap: "skip" }, { ...due(30), count: 2 }), 30)).toEqual({ dues: [30], next: 40 });
  });
});

describe("clock that jumps forward", () => {
  const jump = { from: start + 15 * second, to: start + 3605 * second };

  it.each(["latest", "all"] as const)("ticks within the jump: the latest is sent, with catchUp %s", (catchUp) => {
    expect(planned(entry({ catchUp }, due(20)), 3605, jump)).toEqual({ dues: [3600], jumped: true, next: 3610 });
  });

  it('ticks within the jump: none with "skip" or after the deadline, unless on time', () => {
    expect(planned(entry({ catchUp: "skip" }, due(20)), 3605, jump)).toEqual({ dues: [], jumped: true, next: 3610 });
    expect(planned(entry({ deadline: 4000 }, due(20)), 3605, jump)).toEqual({ dues: [], jumped: true, next: 3610 });
    expect(planned(entry({ catchUp: "skip" }, due(20)), 3600, { ...jump, to: start + 3600 * second })).toMatchObject({ dues: [3600] });
  });

  it("ticks before or after the jump: not affected", () => {
    expect(planned(entry({ catchUp: "all" }, due(0)), 3605, jump)).toEqual({
      dues: [0, 10],
      missed: { count: 2, more: false, sent: 2 },
      next: 20,
    });
    expect(planned(entry({ catchUp: "all" }, due(3610)), 3635, jump)).toMatchObject({ dues: [3610, 3620, 3630] });
  });
});

describe("missed ticks", () => {
  it.each([
    ["skip", [50]],
    ["latest", [40, 50]],
    ["all", [10, 20, 30, 40, 50]],
  ] as const)("catchUp %s: sends those, and counts all", (catchUp, dues) => {
    expect(planned(entry({ catchUp }, due(10)), 50.5)).toEqual({
      dues,
      missed: { count: 4, more: false, sent: dues.length - 1 },
      next: 60,
    });
  });

  it("default: the latest is sent; none after the deadline", () => {
    expect(planned(entry({}, due(10)), 55)).toMatchObject({ dues: [50], next: 60 });
    expect(planned(entry({ deadline: 4000 }, due(10)), 55)).toMatchObject({ dues: [], missed: { count: 5, sent: 0 }, next: 60 });
    expect(planned(entry({ deadline: 25_000, catchUp: "all" }, due(10)), 55)).toMatchObject({ dues: [30, 40, 50], next: 60 });
  });

  it("late by less than a second, and after the deadline: not sent", () => {
    const plan = planned(entry({ deadline: 100 }, due(10)), 10.5);
    expect(plan).toEqual({ dues: [], missed: { count: 1, more: false, sent: 0 }, next: 20 });
  });

  it("limit: no more ticks than it leaves", () => {
    expect(planned(entry({ limit: 3, catchUp: "all" }, due(10)), 55)).toMatchObject({ dues: [10, 20, 30], missed: { count: 5, sent: 3 } });
  });

  it("more than a thousand: a thousand in one go", () => {
    const schedule = { type: "every", every: 100 } as const;
    const plan = planned(entry({ schedule, catchUp: "all" }, due(0)), 3600);
    expect(plan).toMatchObject({ missed: { count: 1000, more: true, sent: 1000 }, next: 100 });
    expect([plan.dues.length, plan.dues.at(-1)]).toEqual([1000, 99.9]);
  });

  it.each(["skip", "latest", "all"] as const)("short interval after a month: no more than a thousand are looked at, with %s", (catchUp) => {
    const schedule = { type: "every", every: 100 } as const;
    const seconds = (30 * day) / second;
    const plan = planned(entry({ schedule, catchUp, deadline: 5000 }, due(0)), seconds);
    if (catchUp === "all") expect(plan).toMatchObject({ dues: [], next: seconds - 5 });
    else expect(plan).toMatchObject({ next: seconds + 0.1 });
    expect(plan.dues.includes(seconds - 1.1)).toBe(catchUp === "latest");
    expect(plan.missed).toMatchObject({ count: 1000, more: true });
  });

  it("cron on one day of the week: its last tick is found", () => {
    const schedule = { type: "crontab", expression: "* 3 * * 1" } as const;
    const plan = planned(entry({ schedule }, due(0)), (200 * day) / second);
    // The last Monday before 20 July 2026, 00:00.
    expect(plan.dues.map((time) => new Date(start + time * second).toISOString())).toEqual(["2026-07-13T03:59:00.000Z"]);
  });

  it.each([
    ["every second, ended long ago", "* * * * * *", 120, 60],
    ["in January alone", "* * * 1 *", 320, 0],
  ])("cron %s: found without computing each tick", (_, expression, days, endedFor) => {
    const schedule = { type: "crontab", expression } as const;
    const endAt = start + (days - endedFor) * day;
    const given = entry({ schedule, endAt }, due(0));
    let asked = 0;
    const timetable = timetables.of(given);
    const counting = { next: (after: number) => (asked++, timetable.next(after)) };
    const plan = planOf(given, counting, start + days * day);
    // For the thousand that are looked at, and those in which the last one is searched for.
    expect(asked).toBeLessThan(1100);
    expect(plan.dues).toEqual([expression === "* * * 1 *" ? start + 31 * day - 60 * second : endAt]);
  });
});
