import { describe, expect, test } from "vitest";
import { createApp, crontab, type AppOptions, type BeatEntry } from "../../src/index.js";
import { compileEntry } from "../../src/beat/entry.js";
import { failing, thrownBy } from "../support.js";

const least = { task: "tasks.add", schedule: "20s" } as const;
const call = (given: object) => compileEntry("nightly", { ...least, ...given }, "Asia/Tokyo").call;
const refusal = (given: object) => thrownBy(() => compileEntry("nightly", { ...least, ...given } as BeatEntry, "UTC"));

describe("stored entry", () => {
  test("only what was given", () => {
    expect(compileEntry("nightly", least, "UTC")).toEqual({
      name: "nightly",
      call: { task: "tasks.add", schedule: { type: "every", every: 20_000 } },
    });
  });

  test("plain data", () => {
    const expires = new Date("2026-11-22T00:00:00Z");
    const given = {
      args: [1, { deep: ["x"] }],
      schedule: crontab("0 3 * * *"),
      options: { queue: "q", priority: 3, expires, headers: { a: 1 }, maxRetries: Infinity, timeLimit: "30s" },
      ...{ catchUp: "all", deadline: "1h", overlap: "skip", jitter: "2s", limit: 5 },
      ...{ startAt: new Date(1000), endAt: new Date(2000) },
    };
    const stored = call(given);
    expect(stored).toEqual({
      task: "tasks.add",
      args: [1, { deep: ["x"] }],
      schedule: { type: "crontab", expression: "0 3 * * *", timezone: "Asia/Tokyo" },
      options: {
        ...{ queue: "q", priority: 3, expires: "2026-11-22T00:00:00.000Z", headers: { a: 1 }, maxRetries: null, timeLimit: "30s" },
      },
      ...{ catchUp: "all", deadline: 3_600_000, overlap: "skip", jitter: 2000, limit: 5, startAt: 1000, endAt: 2000 },
    });
    expect(JSON.parse(JSON.stringify(stored))).toEqual(stored);
  });

  test("crontab: its own time zone, else the app's, also if neither sets one", async () => {
    const beat = { nightly: { ...least, schedule: crontab("0 3 * * *") } };
    const zones = [createApp({ beat }), createApp({ beat, timezone: "Asia/Tokyo" })].map(({ options }) => options.beat[0]?.call.schedule);
    expect(zones).toMatchObject([{ timezone: "UTC" }, { timezone: "Asia/Tokyo" }]);
    expect(call({ schedule: crontab("0 3 * * *", { timezone: "UTC" }) }).schedule).toMatchObject({ timezone: "UTC" });
  });

  test("input changed afterwards: unchanged", () => {
    const args = [[1]];
    const stored = call({ args });
    args[0]?.push(2);
    expect(stored.args).toEqual([[1]]);
  });

  test("task or stub: stored by its name", () => {
    const app = createApp();
    expect(call({ task: app.task("tasks.other", () => 1) }).task).toBe("tasks.other");
    expect(call({ task: app.stub("tasks.elsewhere") }).task).toBe("tasks.elsewhere");
  });

  test("function as the schedule: stored as a mark that it is one", () => {
    const schedule = (after: Date) => after;
    const compiled = compileEntry("own", { ...least, schedule }, "UTC");
    expect(compiled.call.schedule).toEqual({ type: "function" });
    expect(compiled.next).toBe(schedule);
  });
});

describe("refused entry", () => {
  test("misspelt option: the error names the existing ones", () => {
    const error = refusal({ shedule: "20s" });
    expect(error).toEqual(failing("INVALID_OPTION", { option: '"shedule" of beat entry "nightly"', got: "unknown" }));
    expect(String(error)).toContain("task, args, schedule");
  });

  test("20 for 20 s: with a hint", () => {
    expect(String(refusal({ schedule: 20 }))).toContain(
      '"schedule" of beat entry "nightly" is 20, which is milliseconds; expected a string',
    );
  });

  test.each<[option: string, value: unknown]>([
    ["task", undefined],
    ["task", 5],
    ["task", {}],
    ["task", null],
    ["schedule", undefined],
    ["args", "1, 2"],
    ["options", []],
    ["catchUp", "some"],
    ["deadline", "late"],
    ["overlap", true],
    ["jitter", -1],
    ["startAt", 0],
    ["endAt", new Date(Number.NaN)],
    ["limit", 0],
  ])("%s as %o", (option, value) => {
    const named = expect.stringContaining(`"${option}" of beat entry "nightly"`);
    expect(refusal({ [option]: value })).toEqual(failing("INVALID_OPTION", { option: named }));
  });

  test.each(["countdown", "eta", "taskId", "link", "linkError", "prioritty"])("option %s of its calls", (option) => {
    const named = `"${option}" in the options of beat entry "nightly"`;
    expect(refusal({ options: { [option]: "1s" } })).toEqual(failing("INVALID_OPTION", { option: named, got: "unknown" }));
  });

  test.each<[given: object, code: string]>([
    [{ task: "a b" }, "INVALID_TASK_NAME"],
    [{ options: { queue: "a:b" } }, "INVALID_QUEUE_NAME"],
    [{ options: { timeLimit: "1s", softTimeLimit: "2s" } }, "INVALID_OPTION"],
    [{ startAt: new Date(2000), endAt: new Date(1000) }, "INVALID_OPTION"],
    [{ args: [new Date()] }, "ENCODE_ERROR"],
    [{ args: [1n] }, "ENCODE_ERROR"],
    [{ options: { headers: { at: new Map() } } }, "ENCODE_ERROR"],
  ])("%o", (given, code) => {
    expect(refusal(given)).toEqual(failing(code));
  });

  test.each([[""], ["x".repeat(201)]])("name %o", (name) => {
    expect(thrownBy(() => compileEntry(name, least, "UTC"))).toEqual(failing("INVALID_OPTION", { option: "the name of a beat entry" }));
  });

  test("no record of entries", () => {
    const beats: readonly unknown[] = [[least], "20s", { nightly: "20s" }, { nightly: undefined }];
    for (const beat of beats) expect(thrownBy(() => createApp({ beat } as AppOptions))).toEqual(failing("INVALID_OPTION"));
  });
});

test("app: compiles its entries and its time zone", () => {
  const { options } = createApp({ beat: { a: least }, timezone: "Asia/Tokyo" });
  expect(options.timezone).toBe("Asia/Tokyo");
  expect(options.beat).toEqual([{ name: "a", call: { task: "tasks.add", schedule: { type: "every", every: 20_000 } } }]);
  expect(thrownBy(() => createApp({ timezone: "Berlin" }))).toEqual(failing("INVALID_OPTION", { option: '"timezone" of createApp()' }));
});
