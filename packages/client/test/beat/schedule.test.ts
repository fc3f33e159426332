import { describe, expect, test } from "vitest";
import { crontab, every, solar, type CrontabFields, type ScheduleOption } from "../../src/index.js";
import { compileSchedule, describeSchedule } from "../../src/beat/schedule.js";
import { failing, thrownBy } from "../support.js";

const compile = (given: unknown) => compileSchedule(given as ScheduleOption, "the schedule", "UTC");

describe("intervals", () => {
  test.each([
    ["20s", 20_000],
    ["100ms", 100],
    ["1d", 86_400_000],
    [1000, 1000],
    [2500, 2500],
  ] as const)("%s", (given, length) => {
    expect(every(given)).toEqual({ type: "every", every: length });
    expect(compile(given)).toEqual({ type: "every", every: length });
  });

  test("bare cron expression: refused with a hint at crontab()", () => {
    const error = thrownBy(() => compile("*/5 * * * *" as "5m"));
    expect(error).toEqual(failing("INVALID_OPTION", { got: "a cron expression", expected: 'crontab("*/5 * * * *")' }));
  });

  test.each([20, 999, 1])("bare number %d: refused with a hint at its unit", (given) => {
    const expected = expect.stringContaining(`"${given}s"`);
    expect(thrownBy(() => compile(given))).toEqual(failing("INVALID_OPTION", { got: `${given}, which is milliseconds`, expected }));
    expect(thrownBy(() => every(given))).toEqual(failing("INVALID_OPTION", { option: "the interval of every()", expected }));
  });

  test.each<[given: unknown, got: string]>([
    ["99ms", "99 ms"],
    ["0", "0 ms"],
    ["20", '"20"'],
    ["soon", '"soon"'],
    [-1000, "-1000"],
    [Number.NaN, "NaN"],
    ["101y", '"101y"'],
  ])("%s: refused", (given, got) => {
    expect(thrownBy(() => compile(given))).toEqual(failing("INVALID_OPTION", { got }));
  });
});

describe("crontab", () => {
  test.each([
    ["*/5 9-17 * * 1-5", "*/5 9-17 * * 1-5"],
    ["  0\t3 * *   * ", "0 3 * * *"],
    ["*/10 * * * * *", "*/10 * * * * *"],
    ["0 0 * jan,MAR mon-fri", "0 0 * jan,MAR mon-fri"],
    ["0 0 L * *", "0 0 L * *"],
    ["0 0 ? * 5#2", "0 0 ? * 5#2"],
    ["0 0 * mar thu", "0 0 * mar thu"],
  ])("%s", (given, expression) => {
    expect(crontab(given)).toEqual({ type: "crontab", expression });
  });

  test.each<[given: CrontabFields, expression: string]>([
    [{}, "* * * * *"],
    [{ minute: 0, hour: 3 }, "0 3 * * *"],
    [{ minute: [0, 30], hour: "9-17", dayOfWeek: "mon-fri" }, "0,30 9-17 * * mon-fri"],
    [{ second: "*/15" }, "*/15 * * * * *"],
    [{ second: 0, minute: "*/5", dayOfMonth: 1, monthOfYear: "1,7" }, "0 */5 * 1 1,7 *"],
  ])("%o", (given, expression) => {
    expect(crontab(given)).toEqual({ type: "crontab", expression });
  });

  test("time zone: kept", () => {
    expect(crontab("0 3 * * *", { timezone: "Europe/Berlin" })).toEqual({
      type: "crontab",
      expression: "0 3 * * *",
      timezone: "Europe/Berlin",
    });
  });

  test.each([
    ["", "0 fields"],
    ["*", "1 field"],
    ["* * * *", "4 fields"],
    ["* * * * * * *", "7 fields"],
    ["@daily", "1 field"],
  ])("%o, too few or too many fields: refused", (given, got) => {
    expect(thrownBy(() => crontab(given))).toEqual(failing("INVALID_OPTION", { option: "the expression of crontab()", got }));
  });

  test.each([
    "60 * * * *",
    "* 24 * * *",
    "* * 0 * *",
    "* * * 13 *",
    "* * * * 8",
    "a b c d e",
    "*/0 * * * *",
    "-1 * * * *",
    "1.5 * * * *",
    "5-1 * * * *",
    "1,,2 * * * *",
    "0 0 30 2 *",
    "0 0 30 2 */2",
    "0 0 */31 * 1#2",
    "0 0 15W * *",
    "H * * * *",
    "0,h/5 * * * *",
  ])("%s: refused", (given) => {
    expect(thrownBy(() => crontab(given))).toEqual(failing("INVALID_OPTION", { option: "the expression of crontab()" }));
  });

  test.each<[given: unknown, option: string]>([
    [{ minutes: 5 }, '"minutes" of crontab()'],
    [{ minute: "" }, '"minute" of crontab()'],
    [{ minute: [] }, '"minute" of crontab()'],
    [{ minute: "0 3" }, '"minute" of crontab()'],
    [{ hour: null }, '"hour" of crontab()'],
    [{ hour: true }, '"hour" of crontab()'],
    [{ hour: 24 }, "the expression of crontab()"],
    [{ hour: 1.5 }, "the expression of crontab()"],
    [5, "what was given for the options of crontab()"],
    [undefined, "what was given for the options of crontab()"],
  ])("%o: refused", (given, option) => {
    expect(thrownBy(() => crontab(given as CrontabFields))).toEqual(failing("INVALID_OPTION", { option }));
  });

  test.each([["Mars/Olympus"], [""], [2]])("time zone %o: refused", (timezone) => {
    const error = thrownBy(() => crontab("* * * * *", { timezone: timezone as string }));
    expect(error).toEqual(failing("INVALID_OPTION", { option: '"timezone" of crontab()' }));
  });
});

describe("solar", () => {
  test("plain data", () => {
    expect(solar("sunset", 52.52, 13.4)).toEqual({ type: "solar", event: "sunset", latitude: 52.52, longitude: 13.4 });
  });

  test.each<[event: unknown, latitude: unknown, longitude: unknown, option: string]>([
    ["sunburn", 0, 0, "the event of solar()"],
    ["toString", 0, 0, "the event of solar()"],
    [undefined, 0, 0, "the event of solar()"],
    ["sunset", 91, 0, "the latitude of solar()"],
    ["sunset", "52", 0, "the latitude of solar()"],
    ["sunset", Number.NaN, 0, "the latitude of solar()"],
    ["sunset", 0, -181, "the longitude of solar()"],
    ["sunset", 0, undefined, "the longitude of solar()"],
  ])("%o at %o, %o: refused", (event, latitude, longitude, option) => {
    const error = thrownBy(() => solar(event as "sunset", latitude as number, longitude as number));
    expect(error).toEqual(failing("INVALID_OPTION", { option }));
  });
});

describe("data of schedules", () => {
  test.each([[every("20s")], [crontab("0 3 * * *", { timezone: "Asia/Tokyo" })], [solar("dawn_civil", -90, 180)]])(
    "%o: unchanged",
    (schedule) => {
      expect(compile(schedule)).toEqual(schedule);
      expect(compile(JSON.parse(JSON.stringify(schedule)))).toEqual(schedule);
    },
  );

  test("function: only that it is one", () => {
    expect(compile((after: Date) => after)).toEqual({ type: "function" });
  });

  test.each<[given: unknown]>([
    [undefined],
    [null],
    [true],
    [[]],
    [{}],
    [new Date()],
    [{ type: "function" }],
    [{ type: "every", every: 50 }],
    [{ type: "every", every: "20s" }],
    [{ type: "every" }],
    [{ type: "crontab", expression: "x" }],
    [{ type: "crontab" }],
    [{ type: "crontab", expression: { minute: 1 } }],
    [{ type: "crontab", expression: "* * * * *", timezone: "Mars" }],
    [{ type: "solar", event: "noon", latitude: 1, longitude: 1 }],
  ])("%o: refused", (given) => {
    expect(thrownBy(() => compile(given))).toEqual(failing("INVALID_OPTION"));
  });
});

test.each([
  [every("90s"), "every 90s"],
  [every("2d"), "every 2d"],
  [every("120m"), "every 2h"],
  [every("1500ms"), "every 1500ms"],
  [crontab("0 3 * * *"), "crontab 0 3 * * *"],
  [crontab("0 3 * * *", { timezone: "Asia/Tokyo" }), "crontab 0 3 * * * in Asia/Tokyo"],
  [solar("sunset", 52.52, 13.4), "sunset at 52.52, 13.4"],
  [{ type: "function" }, "a function"],
] as const)("in words: %o", (schedule, words) => {
  expect(describeSchedule(schedule)).toBe(words);
});
