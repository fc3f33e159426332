import type { ScheduledCall, StoredEntry } from "@bullrush/broker";
import { describe, expect, it } from "vitest";
import { Timetables } from "../src/entry.js";
import { forecast, preview } from "../src/forecast.js";

const start = Date.parse("2026-06-01T00:00:00Z");
const entry = (name: string, schedule: ScheduledCall["schedule"], call: Partial<ScheduledCall> = {}) =>
  ({ name, createdAt: start, call: { task: "t", schedule, ...call } }) as const;
const given = (name: string, next: (after: Date) => Date | undefined) => ({ ...entry(name, { type: "function" }), next });

describe("timetable of an entry", () => {
  it("own time zone, and none: its own, else the app's", () => {
    const timetables = new Timetables({ timezone: "Asia/Tokyo", beat: [] });
    const at = (schedule: ScheduledCall["schedule"]) => new Date(timetables.of(entry("e", schedule)).next(start) ?? 0).toISOString();
    expect(at({ type: "crontab", expression: "0 12 * * *" })).toBe("2026-06-01T03:00:00.000Z");
    expect(at({ type: "crontab", expression: "0 12 * * *", timezone: "Europe/Berlin" })).toBe("2026-06-01T10:00:00.000Z");
  });

  it("function of the options: its times, between startAt and endAt", () => {
    const beat = [given("own", (after) => new Date(after.getTime() + 1000))];
    const timetable = new Timetables({ timezone: "UTC", beat }).of(
      entry("own", { type: "function" }, { startAt: start + 5000, endAt: start + 7000 }),
    );
    expect([start, start + 5999, start + 6000].map((after) => timetable.next(after))).toEqual([start + 5999, start + 6999, start + 7000]);
    expect(timetable.next(start + 7000)).toBeUndefined();
  });

  it.each([
    ["the time itself", (after: Date) => after],
    ["no time", () => new Date(NaN)],
    ["something else", () => 5 as unknown as Date],
  ])("function that returns %s: refused", (_, next) => {
    const timetables = new Timetables({ timezone: "UTC", beat: [given("own", next)] });
    expect(() => timetables.of(entry("own", { type: "function" })).next(start)).toThrow('what the schedule of "own" gives is');
  });

  it("function that this beat does not have: refused", () => {
    const timetables = new Timetables({ timezone: "UTC", beat: [] });
    expect(() => timetables.of(entry("own", { type: "function" }))).toThrow("a function that this beat does not have");
  });
});

describe("forecast", () => {
  it("several entries: all ticks by time, within limits, none of paused entries", () => {
    const timetables = new Timetables({ timezone: "UTC", beat: [] });
    const entries = [
      entry("a", { type: "every", every: 20_000 }, { args: [1] }),
      { ...entry("b", { type: "every", every: 10_000 }, { limit: 5 }), count: 3 },
      { ...entry("c", { type: "every", every: 10_000 }), paused: true },
    ];
    const ticks = [...forecast(entries, timetables, start, start + 40_000, expect.unreachable)];
    expect(ticks.map(({ entry, due }) => [entry, due - start])).toEqual([
      ["b", 10_000],
      ["a", 20_000],
      ["b", 20_000],
    ]);
    expect(ticks[1]).toEqual({ due: start + 20_000, entry: "a", task: "t", args: [1] });
  });

  it("entry that cannot be computed: reported once, the others are computed on demand", () => {
    const timetables = new Timetables({ timezone: "UTC", beat: [] });
    const entries = [entry("own", { type: "function" }), entry("a", { type: "every", every: 1000 })];
    const failed: string[] = [];
    const ticks = forecast(entries, timetables, start, Infinity, (name) => failed.push(name));
    expect([ticks.next().value?.due, ticks.next().value?.due]).toEqual([start + 1000, start + 2000]);
    expect(failed).toEqual(["own"]);
  });
});

describe("preview", () => {
  const stored = (name: string, origin: StoredEntry["origin"], every: number): StoredEntry => ({
    ...entry(name, { type: "every", every }),
    ...{ version: "v", origin, paused: name === "paused", count: 7 },
  });
  const given = (name: string, every: number) => ({ name, call: entry(name, { type: "every", every }).call });

  it("options that differ from the store: the new options, and entries set at run time", () => {
    const kept = [
      stored("same", "options", 1000),
      stored("changed", "options", 1000),
      stored("paused", "options", 1000),
      stored("limited", "options", 1000),
      stored("later", "options", 1000),
      stored("gone", "options", 1000),
      stored("set", "runtime", 1000),
    ];
    const options = [
      ...[given("same", 1000), given("changed", 2000), given("paused", 2000), given("set", 2000), given("new", 1000)],
      { name: "limited", call: { ...given("limited", 1000).call, limit: 8, startAt: start } },
      { name: "later", call: { ...given("later", 1000).call, startAt: start + 6 } },
    ];
    const found = preview(options, kept, start + 5).map(({ name, call, createdAt, paused, count = 0 }) => {
      const { every } = call.schedule as { readonly every: number };
      return [name, every, createdAt - start, paused, count];
    });
    expect(found).toEqual([
      ["set", 1000, 0, false, 7],
      ["same", 1000, 0, false, 7],
      ["changed", 2000, 5, false, 0],
      ["paused", 2000, 5, true, 0],
      ["new", 1000, 5, false, 0],
      ["limited", 1000, 0, false, 7],
      ["later", 1000, 5, false, 0],
    ]);
  });
});
