import { describe, expectTypeOf, test } from "vitest";
import { createApp, type AsyncResult, type FailureInfo, type Signature } from "../../src/index.js";

const app = createApp();
const add = app.task("add", (x: number, y: number) => x + y);
const greet = app.task("greet", async (name: string) => `hello ${name}`);
const now = app.task("now", () => 1);
const optional = app.task("optional", (x: number, y?: string) => `${x}${y}`);
const rest = app.task("rest", (...words: string[]) => words.length);
const warn = app.task("warn", (failureInfo: FailureInfo, to: string) => `${failureInfo.id} ${to}`);

describe("a signature", () => {
  test("takes the arguments of its task, and has its result", () => {
    expectTypeOf(add.si).parameters.toEqualTypeOf<[x: number, y: number]>();
    expectTypeOf(add.s(1, 2)).toEqualTypeOf<Signature<number>>();
    expectTypeOf(greet.s("ann").set({ queue: "q" })).toEqualTypeOf<Signature<string>>();
    expectTypeOf(app.stub<typeof greet>("greet").s("ann").delay()).resolves.toEqualTypeOf<AsyncResult<string>>();
    expectTypeOf(add.s(1, 2).applyAsync({ countdown: "1s" })).resolves.toEqualTypeOf<AsyncResult<number>>();
    expectTypeOf(add.s(1, 2)).toExtend<Signature>();
    // @ts-expect-error an argument of the wrong type
    expectTypeOf(() => add.s(1, "2")).toBeFunction();
    // @ts-expect-error an argument too many
    expectTypeOf(() => add.s(1, 2, 3)).toBeFunction();
    // @ts-expect-error two arguments are missing
    expectTypeOf(() => add.s()).toBeFunction();
    // @ts-expect-error no such option
    expectTypeOf(() => add.s(1, 2).set({ prio: 1 })).toBeFunction();
    // @ts-expect-error it does not change
    expectTypeOf(() => (add.s(1, 2).options = {})).toBeFunction();
  });

  test("may lack the first argument, and is completed with it", () => {
    expectTypeOf(add.s(2)).toEqualTypeOf<Signature<number, [value: number]>>();
    expectTypeOf(add.s(2).delay(4)).resolves.toEqualTypeOf<AsyncResult<number>>();
    expectTypeOf(add.s(2).applyAsync({ queue: "q" }, 4)).resolves.toEqualTypeOf<AsyncResult<number>>();
    expectTypeOf(greet.s().delay("ann")).resolves.toEqualTypeOf<AsyncResult<string>>();
    // @ts-expect-error it is incomplete
    expectTypeOf(() => add.s(2).delay()).toBeFunction();
    // @ts-expect-error it is incomplete
    expectTypeOf(() => add.s(2).applyAsync({})).toBeFunction();
    // @ts-expect-error the value does not fit
    expectTypeOf(() => add.s(2).delay("4")).toBeFunction();
    // @ts-expect-error it is complete
    expectTypeOf(() => add.s(1, 2).delay(4)).toBeFunction();
    // @ts-expect-error si() has all arguments
    expectTypeOf(() => add.si(2)).toBeFunction();
  });

  test("of a task with optional parameters, or any number, can be complete and take one more", () => {
    expectTypeOf(optional.s(1)).toEqualTypeOf<Signature<string>>();
    expectTypeOf(optional.s()).toEqualTypeOf<Signature<string, [value: number]>>();
    expectTypeOf(optional.s("a")).toEqualTypeOf<Signature<string, [value: number]>>();
    expectTypeOf(rest.s("a", "b")).toEqualTypeOf<Signature<number, [value?: string]>>();
    expectTypeOf(rest.s().delay()).resolves.toEqualTypeOf<AsyncResult<number>>();
    expectTypeOf(rest.s().delay("a")).resolves.toEqualTypeOf<AsyncResult<number>>();
    expectTypeOf(now.s()).toEqualTypeOf<Signature<number>>();
    expectTypeOf(app.stub("any").s(1)).toEqualTypeOf<Signature<unknown, [value?: unknown]>>();
    expectTypeOf(app.signature<number>("any", [1])).toEqualTypeOf<Signature<number, [ignored?: unknown]>>();
  });
});

describe("a link", () => {
  test("gets the result, or what went wrong", () => {
    expectTypeOf(add.s(1, 2).link(add.s(3)).onError(warn.s("ops"))).toEqualTypeOf<Signature<number>>();
    expectTypeOf(add.s(1).link([add.s(3), greet.si("ann")])).toEqualTypeOf<Signature<number, [value: number]>>();
    expectTypeOf(add.applyAsync([1, 2], { link: add.s(3), linkError: [warn.s("ops")] })).resolves.toEqualTypeOf<AsyncResult<number>>();
    // @ts-expect-error the result does not fit
    expectTypeOf(() => add.s(1, 2).link(greet.s())).toBeFunction();
    // @ts-expect-error it has no place for the result
    expectTypeOf(() => add.s(1, 2).link(add.s(1, 2))).toBeFunction();
    // @ts-expect-error a FailureInfo is not a number
    expectTypeOf(() => add.s(1, 2).onError(add.s(1))).toBeFunction();
    // @ts-expect-error a task is no canvas
    expectTypeOf(() => add.applyAsync([1, 2], { link: greet })).toBeFunction();
  });
});

describe("many at once", () => {
  test("have their handles in their order", () => {
    expectTypeOf(app.publishAll([add.s(1, 2), greet.s("x")])).resolves.toEqualTypeOf<[AsyncResult<number>, AsyncResult<string>]>();
    expectTypeOf(app.publishAll([1, 2].map((x) => add.s(x, x)))).resolves.toEqualTypeOf<AsyncResult<number>[]>();
    expectTypeOf(app.publishAll([])).resolves.toEqualTypeOf<[]>();
    const mixed: (Signature<number> | Signature<string>)[] = [];
    expectTypeOf(app.publishAll(mixed)).resolves.toEqualTypeOf<(AsyncResult<number> | AsyncResult<string>)[]>();
    // @ts-expect-error a task is no call
    expectTypeOf(() => app.publishAll([add])).toBeFunction();
    // @ts-expect-error what was sent cannot be sent
    expectTypeOf(() => app.publishAll([add.delay(1, 2)])).toBeFunction();
    // @ts-expect-error an argument is missing
    expectTypeOf(() => app.publishAll([add.s(1)])).toBeFunction();
  });
});
