import { describe, expectTypeOf, test } from "vitest";
import { createApp, type AsyncResult, type Stub, type Task, type TaskContext, type TaskStub } from "../../src/index.js";

const app = createApp();

function yearOf(this: Date): number {
  return this.getFullYear();
}

describe("a declared task", () => {
  test("has the arguments and the result of its function", () => {
    const add = app.task("add", (x: number, y: number) => x + y);
    expectTypeOf(add).toEqualTypeOf<Task<[x: number, y: number], number>>();
    expectTypeOf(add.delay).parameters.toEqualTypeOf<[x: number, y: number]>();
    expectTypeOf(add.delay(1, 2)).toEqualTypeOf<Promise<AsyncResult<number>>>();
    expectTypeOf(add.delay(1, 2)).resolves.toEqualTypeOf<AsyncResult<number>>();
    expectTypeOf(add.applyAsync([1, 2])).toEqualTypeOf<Promise<AsyncResult<number>>>();
    expectTypeOf(add.name).toEqualTypeOf<string>();
  });

  test("called, returns what its function returns, promise or not", () => {
    const now = app.task("now", (x: number) => String(x));
    const later = app.task("later", async (x: number) => String(x));
    const perhaps = app.task("perhaps", (x: number): number | Promise<string> => x);
    expectTypeOf(now(1)).toEqualTypeOf<string>();
    expectTypeOf(later(1)).toEqualTypeOf<Promise<string>>();
    expectTypeOf(perhaps(1)).toEqualTypeOf<number | Promise<string>>();
  });

  test("sent, gives what the promise of its function resolves to", () => {
    const later = app.task("later", async (x: number) => ({ x }));
    const perhaps = app.task("perhaps", (x: number): number | Promise<string> => x);
    const nothing = app.task("nothing", async () => {});
    expectTypeOf(later.delay(1)).resolves.toEqualTypeOf<AsyncResult<{ x: number }>>();
    expectTypeOf(perhaps.delay(1)).resolves.toEqualTypeOf<AsyncResult<number | string>>();
    expectTypeOf(nothing.delay()).resolves.toEqualTypeOf<AsyncResult<void>>();
  });

  test("may have optional, default and rest parameters", () => {
    const optional = app.task("optional", (x: number, y?: string) => `${x}${y}`);
    const byDefault = app.task("byDefault", (x: number, y: string = "z") => `${x}${y}`);
    const rest = app.task("rest", (first: string, ...others: number[]) => [first, ...others]);
    expectTypeOf(optional.delay).parameters.toEqualTypeOf<[x: number, y?: string | undefined]>();
    expectTypeOf(byDefault.delay).parameters.toEqualTypeOf<[x: number, y?: string | undefined]>();
    expectTypeOf(rest.delay).parameters.toEqualTypeOf<[first: string, ...others: number[]]>();
    expectTypeOf(rest.delay("a", 1, 2)).resolves.toEqualTypeOf<AsyncResult<(string | number)[]>>();
    expectTypeOf(optional.applyAsync).toBeCallableWith([1]);
    expectTypeOf(optional.applyAsync).toBeCallableWith([1, "a"], { countdown: "1s" });
  });

  test("takes the type of a parameter from its default", () => {
    const byDefault = app.task("byDefault", function (x: number, y: number = 20) {
      return this.attempt + x + y;
    });
    const untyped = app.task("untyped", (x: number, y = 20) => [x, y]);
    expectTypeOf(byDefault.delay).parameters.toEqualTypeOf<[x: number, y?: number | undefined]>();
    expectTypeOf(untyped.delay).parameters.toEqualTypeOf<[x: number, y?: number | undefined]>();
  });

  test("of a generic function takes what its constraint takes", () => {
    const first = app.task("first", <T extends string | number>(items: readonly T[]) => items[0]);
    expectTypeOf(first.delay).parameters.toEqualTypeOf<[items: readonly (string | number)[]]>();
    expectTypeOf(first.delay(["a", 1])).resolves.toEqualTypeOf<AsyncResult<string | number | undefined>>();
  });

  test("keeps unions and literals", () => {
    const toggle = app.task("toggle", (mode: "on" | "off") => (mode === "on" ? ("off" as const) : ("on" as const)));
    expectTypeOf(toggle.delay("on")).resolves.toEqualTypeOf<AsyncResult<"on" | "off">>();
    // @ts-expect-error neither on nor off
    expectTypeOf(toggle.delay).toBeCallableWith("other");
  });

  test("has its context as `this`, with options or without", () => {
    app.task("plain", function (x: number) {
      expectTypeOf(this).toEqualTypeOf<TaskContext>();
      expectTypeOf(this.attempt).toEqualTypeOf<number>();
      expectTypeOf(this.signal).toEqualTypeOf<AbortSignal>();
      return x;
    });
    const withOptions = app.task("withOptions", { expires: "1m" }, async function (x: number, y: string) {
      expectTypeOf(this).toEqualTypeOf<TaskContext>();
      await this.progress({ done: x });
      return this.id + y;
    });
    expectTypeOf(withOptions).toEqualTypeOf<Task<[x: number, y: string], Promise<string>>>();
  });

  test("cannot be what does not fit", () => {
    const add = app.task("add", (x: number, y: number) => x + y);
    // @ts-expect-error an argument is missing
    expectTypeOf(() => add.delay(1)).toBeFunction();
    // @ts-expect-error an argument of the wrong type
    expectTypeOf(() => add.delay(1, "2")).toBeFunction();
    // @ts-expect-error an argument too many
    expectTypeOf(() => add.delay(1, 2, 3)).toBeFunction();
    // @ts-expect-error the arguments of applyAsync are an array
    expectTypeOf(() => add.applyAsync(1, 2)).toBeFunction();
    // @ts-expect-error an argument is missing from the array
    expectTypeOf(() => add.applyAsync([1])).toBeFunction();
    // @ts-expect-error an argument of the wrong type in the array
    expectTypeOf(() => add.applyAsync(["1", 2])).toBeFunction();
    // @ts-expect-error called directly, it has the same arguments
    expectTypeOf(() => add("1", 2)).toBeFunction();
    // @ts-expect-error a name is for good
    expectTypeOf(() => (add.name = "other")).toBeFunction();
    // @ts-expect-error a function is missing
    expectTypeOf(() => app.task("none")).toBeFunction();
    // @ts-expect-error a function is missing behind the options
    expectTypeOf(() => app.task("none", { priority: 1 })).toBeFunction();
    // @ts-expect-error its `this` is not a task's
    expectTypeOf(() => app.task("year", yearOf)).toBeFunction();
  });
});

describe("a stub", () => {
  test("has the types of the task that is declared elsewhere", () => {
    const stub = app.stub<typeof import("./fixture.js").taskA>("tasks.taskA");
    expectTypeOf(stub).toEqualTypeOf<TaskStub<[x: number, y?: string | undefined], { x: number; y: string | null }>>();
    expectTypeOf(stub.delay(1)).resolves.toEqualTypeOf<AsyncResult<{ x: number; y: string | null }>>();
    expectTypeOf(stub.delay).parameters.toEqualTypeOf<[x: number, y?: string | undefined]>();
  });

  test("has the types of a task here", () => {
    const add = app.task("add", (x: number, y: number) => x + y);
    const stub = app.stub<typeof add>("add", { queue: "sums" });
    expectTypeOf(stub).toEqualTypeOf<TaskStub<[x: number, y: number], number>>();
    expectTypeOf<Stub<typeof add>>().toEqualTypeOf<TaskStub<[x: number, y: number], number>>();
    expectTypeOf(add).toExtend<Stub<typeof add>>();
    // @ts-expect-error it has arguments
    expectTypeOf(() => stub.delay()).toBeFunction();
    // @ts-expect-error it cannot be run here
    expectTypeOf(() => stub(1, 2)).toBeFunction();
  });

  test("of something else does not compile", () => {
    // @ts-expect-error no task
    expectTypeOf(() => app.stub<(x: number) => number>("f")).toBeFunction();
    // @ts-expect-error no such export
    expectTypeOf(() => app.stub<typeof import("./fixture.js").taskB>("tasks.taskB")).toBeFunction();
  });

  test("without a type takes anything and gives something", () => {
    const stub = app.stub("other.program");
    expectTypeOf(stub.delay("a", 1)).resolves.toEqualTypeOf<AsyncResult>();
  });
});

test("a task that throws what this.retry() and this.reject() throw has the result that it returns", () => {
  const one = app.task("one", async function (x: number) {
    if (x > 1) return this.retry({ countdown: "1s", error: new Error("no") });
    if (x > 2) return this.reject({ requeue: true });
    return x;
  });
  expectTypeOf(one.delay(1)).resolves.toEqualTypeOf<AsyncResult<number>>();
  expectTypeOf<TaskContext["retry"]>().returns.toBeNever();
  // @ts-expect-error no duration
  expectTypeOf((context: TaskContext) => context.retry({ countdown: "soon" })).toBeFunction();
  // @ts-expect-error misspelt
  expectTypeOf((context: TaskContext) => context.reject({ requeu: true })).toBeFunction();
});
