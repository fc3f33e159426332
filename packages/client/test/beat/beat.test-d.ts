import { describe, expectTypeOf, test } from "vitest";
import {
  createApp,
  crontab,
  every,
  solar,
  type AppOptions,
  type AsyncResult,
  type BeatEntry,
  type ListedEntry,
  type Schedule,
  type Task,
} from "../../src/index.js";

const app = createApp();
const add = app.task("add", (x: number, y: number) => x + y);
const greet = app.task("greet", (name = "you") => name);
const tick = app.task("tick", async () => "tock");
const stub = app.stub<typeof add>("add");

describe("schedules", () => {
  test("are plain data", () => {
    expectTypeOf(every("20s")).toExtend<Schedule>();
    expectTypeOf(crontab({ minute: [0, 30], hour: "9-17" }, { timezone: "UTC" })).toExtend<Schedule>();
    expectTypeOf(solar("sunset", 52, 13)).toExtend<Schedule>();
  });

  test("that do not fit do not compile", () => {
    // @ts-expect-error no duration
    expectTypeOf(() => every("soon")).toBeFunction();
    // @ts-expect-error misspelt
    expectTypeOf(() => crontab({ minutes: 5 })).toBeFunction();
    // @ts-expect-error no such event
    expectTypeOf(() => solar("sunburn", 0, 0)).toBeFunction();
    // @ts-expect-error no time
    expectTypeOf(() => createApp({ beat: { a: { task: "t", schedule: () => 5 } } })).toBeFunction();
  });
});

describe("entries of the options", () => {
  test("name their tasks or give them", () => {
    expectTypeOf(
      createApp({
        beat: {
          taskA_schedule: { task: "tasks.taskA", schedule: "20s", args: [5, 6] },
          nightly: { task: "tasks.add", schedule: crontab("0 3 * * *"), args: [1, "a"], options: { queue: "default", expires: "1h" } },
          given: { task: add, schedule: every("20s"), args: [1, 2], catchUp: "all", overlap: "skip" },
          stub: { task: stub, schedule: 1000, args: [1, 2], jitter: "1s", deadline: "5m" },
          none: { task: tick, schedule: solar("sunrise", 1, 2), startAt: new Date(), endAt: new Date(), limit: 3 },
          optional: { task: greet, schedule: "1m" },
          some: { task: greet, schedule: "1m", args: ["ann"] },
          own: { task: "t", schedule: (after: Date) => (after.getTime() < 5 ? new Date() : undefined) },
        },
        timezone: "UTC",
      }),
    ).toEqualTypeOf<typeof app>();
  });

  test("may be kept as options", () => {
    const entries: Record<string, BeatEntry> = { a: { task: add, schedule: "20s", args: [1, 2] } };
    const options: AppOptions = { beat: entries };
    expectTypeOf(createApp(options)).toEqualTypeOf<typeof app>();
    expectTypeOf<Task<[x: number], number>>().toExtend<BeatEntry["task"]>();
  });

  test("whose arguments do not fit their tasks do not compile", () => {
    // @ts-expect-error a number
    expectTypeOf(() => createApp({ beat: { a: { task: add, schedule: "20s", args: [1, "2"] } } })).toBeFunction();
    // @ts-expect-error one is missing
    expectTypeOf(() => createApp({ beat: { a: { task: add, schedule: "20s", args: [1] } } })).toBeFunction();
    // @ts-expect-error both are missing
    expectTypeOf(() => createApp({ beat: { a: { task: add, schedule: "20s" } } })).toBeFunction();
    // @ts-expect-error one is too many
    expectTypeOf(() => createApp({ beat: { a: { task: tick, schedule: "20s", args: [1] } } })).toBeFunction();
    // @ts-expect-error a number, of a stub
    expectTypeOf(() => createApp({ beat: { a: { task: stub, schedule: "20s", args: ["1", 2] } } })).toBeFunction();
  });

  test("that are misspelt do not compile", () => {
    // @ts-expect-error misspelt
    expectTypeOf(() => createApp({ beat: { a: { task: "t", schedule: "20s", catchup: "all" } } })).toBeFunction();
    // @ts-expect-error each call would have the same id
    expectTypeOf(() => createApp({ beat: { a: { task: "t", schedule: "20s", options: { taskId: "x" } } } })).toBeFunction();
    // @ts-expect-error without a schedule
    expectTypeOf(() => createApp({ beat: { a: { task: "t" } } })).toBeFunction();
  });
});

describe("at run time", () => {
  test("entries are set, and handles given", () => {
    expectTypeOf(app.beat.set("a", { task: add, schedule: "20s", args: [1, 2] })).resolves.toBeVoid();
    expectTypeOf(app.beat.set("a", { task: "add", schedule: crontab("* * * * *") })).resolves.toBeVoid();
    expectTypeOf(app.beat.list()).resolves.toEqualTypeOf<readonly ListedEntry[]>();
    expectTypeOf(app.beat.trigger("a")).resolves.toEqualTypeOf<AsyncResult>();
    expectTypeOf(app.beat.trigger<number>("a")).resolves.toEqualTypeOf<AsyncResult<number>>();
    expectTypeOf(app.beat.pause("a")).resolves.toBeBoolean();
  });

  test("what does not fit does not compile", () => {
    // @ts-expect-error a number
    expectTypeOf(() => app.beat.set("a", { task: add, schedule: "20s", args: [1, "2"] })).toBeFunction();
    // @ts-expect-error both are missing
    expectTypeOf(() => app.beat.set("a", { task: add, schedule: "20s" })).toBeFunction();
    // @ts-expect-error functions only in the options
    expectTypeOf(() => app.beat.set("a", { task: "t", schedule: (after: Date) => after })).toBeFunction();
    // @ts-expect-error misspelt
    expectTypeOf(() => app.beat.set("a", { task: "t", schedule: "20s", catchup: "all" })).toBeFunction();
  });
});
