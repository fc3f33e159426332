import { setTimeout as pause } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { createApp, currentTask, runInTask, type TaskContext } from "../../src/index.js";
import { localContext } from "../../src/task/local-context.js";
import { failing, rejected, thrownBy } from "../support.js";

const app = createApp({ broker: "redis://127.0.0.1:1" });

describe("direct call", () => {
  const add = app.task("add", (x: number, y: number) => x + y);
  const addLater = app.task("addLater", async (x: number, y: number) => x + y);

  test("returned value: returned here", async () => {
    expect(add(1, 2)).toBe(3);
    const promise = addLater(1, 2);
    expect(promise).toBeInstanceOf(Promise);
    expect(await promise).toBe(3);
  });

  test("thrown error or rejection: that very error", async () => {
    const error = new RangeError("no");
    const fail = app.task("fail", () => {
      throw error;
    });
    const failLater = app.task("failLater", async () => {
      throw error;
    });
    expect(thrownBy(() => fail())).toBe(error);
    expect(await rejected(failLater())).toBe(error);
  });

  test("arguments: passed as they are, not as JSON would change them", () => {
    const given = { at: new Date(), self: undefined as unknown };
    given.self = given;
    const echo = app.task("echo", (...args: unknown[]) => args);
    expect(echo(given, undefined)).toEqual([given, undefined]);
    expect(echo(given)[0]).toBe(given);
  });

  test("`this`: a context", async () => {
    const seen: { readonly context: TaskContext; readonly current: TaskContext }[] = [];
    const look = app.task("look", function (x: number, y?: string) {
      seen.push({ context: this, current: currentTask() });
      return [x, y ?? null];
    });
    expect(look(1, "a")).toEqual([1, "a"]);
    const { context, current } = seen[0] as (typeof seen)[number];
    expect(current).toBe(context);
    expect(context).toMatchObject({
      name: "look",
      args: [1, "a"],
      attempt: 1,
      retries: 0,
      queue: "local",
      worker: "local",
      rootId: context.id,
      parentId: undefined,
      groupId: undefined,
      eta: undefined,
      expires: undefined,
      headers: {},
    });
    expect(context.id).toMatch(/^[0-9a-f-]{36}$/);
    expect(context.signal.aborted).toBe(false);
    await context.progress({ done: 1 });
    await context.updateState("HALF", 1);
    look(2);
    expect(seen[1]?.context.id).not.toBe(context.id);
  });

  test("context: also after awaits, timers and callbacks", async () => {
    const deep = app.task("deep", async function () {
      await pause(1);
      const below = await new Promise<TaskContext>((resolve) => setImmediate(() => resolve(currentTask())));
      return below === this;
    });
    expect(await Promise.all([deep(), deep(), deep()])).toEqual([true, true, true]);
  });
});

describe("direct call within a task", () => {
  const inner = app.task("inner", function (x: number) {
    return { id: this.id, name: this.name, x, current: currentTask().id };
  });
  const outer = app.task("outer", async function () {
    await pause(1);
    return { id: this.id, inner: inner(5) };
  });

  test("in a worker: keeps the worker's context", async () => {
    const context: TaskContext = { ...localContext("tasks.outer", [1]), queue: "q", worker: "w1" };
    const seen = await runInTask(context, async () => inner(5));
    expect(seen).toEqual({ id: context.id, name: "tasks.outer", x: 5, current: context.id });
  });

  test("in a direct call: keeps that call's context", async () => {
    const seen = await outer();
    expect(seen.inner).toEqual({ id: seen.id, name: "outer", x: 5, current: seen.id });
  });
});

describe("currentTask()", () => {
  test("outside a task: throws", () => {
    expect(thrownBy(() => currentTask())).toEqual(failing("NO_CURRENT_TASK"));
  });

  test("after a task: throws", async () => {
    const add = app.task("done", async () => pause(1));
    await add();
    expect(thrownBy(() => currentTask())).toEqual(failing("NO_CURRENT_TASK"));
  });

  test("nested tasks: the innermost", () => {
    const first = localContext("first", []);
    const second = localContext("second", []);
    const seen = runInTask(first, () => [currentTask(), runInTask(second, () => currentTask()), currentTask()]);
    expect(seen).toEqual([first, second, first]);
  });
});
