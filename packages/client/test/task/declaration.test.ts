import { describe, expect, test } from "vitest";
import { createApp, isApp } from "../../src/index.js";
import { checkTaskName } from "../../src/options/task-name.js";
import { failing, thrownBy } from "../support.js";

describe("name of a task", () => {
  test.each(["a", "tasks.taskA", "feeds/import:rss", "añadir", "constructor", "__proto__", "x".repeat(200), "a,b", "😀"])(
    "%j: accepted",
    (name) => {
      const app = createApp();
      const task = app.task(name, () => 1);
      expect(task.name).toBe(name);
      expect([...app.tasks.keys()]).toEqual([name]);
    },
  );

  test.each<[what: string, name: unknown, reason: string]>([
    ["empty", "", "it is empty"],
    ["too long", "x".repeat(201), "it is longer than 200 characters"],
    ["two words", "a b", "it contains whitespace or control characters"],
    ["with a line break", "a\nb", "it contains whitespace or control characters"],
    ["with a zero", "a\0b", "it contains whitespace or control characters"],
    ["a pattern", "tasks.*", "it contains *, which stands for any characters in routes"],
    ["a number", 5, "it has to be a string"],
    ["missing", undefined, "it has to be a string"],
  ])("%s: refused", async (_, name, reason) => {
    const app = createApp();
    const refused = failing("INVALID_TASK_NAME", { reason });
    expect(thrownBy(() => app.task(name as string, () => 1))).toEqual(refused);
    expect(thrownBy(() => app.stub(name as string))).toEqual(refused);
    await expect(app.sendTask(name as string)).rejects.toEqual(refused);
    expect(app.tasks.size).toBe(0);
  });

  test("long invalid name: cut in the error", () => {
    expect(thrownBy(() => checkTaskName("x".repeat(5000)))).toEqual(failing("INVALID_TASK_NAME", { name: "x".repeat(80) }));
  });

  test("declared twice: refused on one app, accepted on another", () => {
    const app = createApp();
    app.task("tasks.a", () => 1);
    expect(thrownBy(() => app.task("tasks.a", () => 2))).toEqual(failing("TASK_ALREADY_REGISTERED", { task: "tasks.a" }));
    expect(app.tasks.get("tasks.a")?.run.call({} as never)).toBe(1);
    expect(createApp().task("tasks.a", () => 2)()).toBe(2);
    expect(app.stub("tasks.a").name).toBe("tasks.a");
  });
});

describe("declaration", () => {
  test("keeps the function, the options and resultExpires", () => {
    const app = createApp();
    const run = (x: number) => x;
    app.task("a", { queue: "q", resultExpires: "1h" }, run);
    app.task("b", run);
    expect(app.tasks.get("a")).toEqual({ name: "a", options: { queue: "q", resultExpires: "1h" }, run, resultExpires: 3_600_000 });
    expect(app.tasks.get("b")).toEqual({ name: "b", options: {}, run });
  });

  test.each<[what: string, options: unknown, code: string, option: string]>([
    ["a misspelt option", { prioritty: 1 }, "INVALID_OPTION", '"prioritty"'],
    ["an option of calls", { countdown: 1 }, "INVALID_OPTION", '"countdown"'],
    ["an inherited name", JSON.parse('{ "constructor": 1 }'), "INVALID_OPTION", '"constructor"'],
    ["a priority over 9", { priority: 10 }, "INVALID_OPTION", '"priority"'],
    ["half a priority", { priority: 0.5 }, "INVALID_OPTION", '"priority"'],
    ["an empty queue", { queue: "" }, "INVALID_OPTION", '"queue"'],
    ["a flag that is none", { ignoreResult: 1 }, "INVALID_OPTION", '"ignoreResult"'],
    ["a duration that is none", { expires: "tomorrow" }, "INVALID_OPTION", '"expires"'],
    ["a Date for all calls", { expires: new Date() }, "INVALID_OPTION", '"expires"'],
    ["results that live for no time", { resultExpires: 0 }, "INVALID_OPTION", '"resultExpires"'],
    ["fewer retries than none", { maxRetries: -1 }, "INVALID_OPTION", '"maxRetries"'],
    ["half a retry", { maxRetries: 0.5 }, "INVALID_OPTION", '"maxRetries"'],
    ["retries by name", { autoRetryFor: "TypeError" }, "INVALID_OPTION", '"autoRetryFor"'],
    ["retries for an error, not its class", { autoRetryFor: [new TypeError()] }, "INVALID_OPTION", '"autoRetryFor"'],
    ["expected errors by name", { expectedErrors: ["TypeError"] }, "INVALID_OPTION", '"expectedErrors"'],
    ["a delay that is none", { retryDelay: "soon" }, "INVALID_OPTION", '"retryDelay"'],
    ["a delay beyond all measure", { retryDelay: 1e22 }, "INVALID_OPTION", '"retryDelay"'],
    ["a backoff beyond all measure", { retryBackoff: 1e16 }, "INVALID_OPTION", '"retryBackoff"'],
    ["a backoff up to what is beyond all measure", { retryBackoffMax: "101y" }, "INVALID_OPTION", '"retryBackoffMax"'],
    ["an expiry beyond all measure", { expires: 1e16 }, "INVALID_OPTION", '"expires"'],
    ["a backoff of nothing", { retryBackoff: 0 }, "INVALID_OPTION", '"retryBackoff"'],
    ["a backoff that is none", { retryBackoff: "soon" }, "INVALID_OPTION", '"retryBackoff"'],
    ["a backoff up to nothing", { retryBackoffMax: 0 }, "INVALID_OPTION", '"retryBackoffMax"'],
    ["a jitter that is no flag", { retryJitter: 0.5 }, "INVALID_OPTION", '"retryJitter"'],
    ["null", null, "INVALID_OPTION", "options"],
  ])("with %s: refused", (_, options, code, option) => {
    const app = createApp();
    const refused = failing(code, { option: expect.stringContaining(option) });
    expect(thrownBy(() => app.task("tasks.a", options as object, () => 1))).toEqual(refused);
    expect(thrownBy(() => app.stub("tasks.a", options as object))).toEqual(refused);
    expect(app.tasks.size).toBe(0);
  });

  test("invalid queue name: refused at once", () => {
    expect(thrownBy(() => createApp().task("tasks.a", { queue: "a:b" }, () => 1))).toEqual(failing("INVALID_QUEUE_NAME", { queue: "a:b" }));
  });

  test.each<[got: string, rest: readonly unknown[]]>([
    ["missing", []],
    ["missing", [{}]],
    ["a number", [{}, 5]],
    ["an object", [{}, { run: () => 1 }]],
  ])("no function (%s): refused", (got, rest) => {
    const app = createApp();
    const declare = app.task.bind(app) as (...args: unknown[]) => unknown;
    expect(thrownBy(() => declare("tasks.a", ...rest))).toEqual(failing("INVALID_OPTION", { option: "the function of tasks.a", got }));
  });
});

test("app among other exports: recognised, and so is an app of another copy of the package", () => {
  expect(isApp(createApp())).toBe(true);
  expect(isApp({ [Symbol.for("bullrush.app")]: true })).toBe(true);
  for (const other of [undefined, null, {}, "app", () => 1, createApp().task("a", () => 1)]) expect(isApp(other)).toBe(false);
});

test("handle for an id: UUIDs only, in lower case", () => {
  const app = createApp();
  expect(app.asyncResult("0B5A7A10-0000-4000-8000-ABCDEFABCDEF").id).toBe("0b5a7a10-0000-4000-8000-abcdefabcdef");
  for (const id of ["wait", "", "42", "a:b:c"]) expect(thrownBy(() => app.asyncResult(id))).toEqual(failing("INVALID_TASK_ID", { id }));
});
