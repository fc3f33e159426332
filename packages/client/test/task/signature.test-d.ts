import { describe, expectTypeOf, test } from "vitest";
import { createApp, type AsyncResult, type Signature } from "../../src/index.js";

const app = createApp();
const add = app.task("add", (x: number, y: number) => x + y);
const greet = app.task("greet", async (name: string) => `hello ${name}`);

describe("a signature", () => {
  test("takes the arguments of its task, and has its result", () => {
    expectTypeOf(add.s).parameters.toEqualTypeOf<[x: number, y: number]>();
    expectTypeOf(add.s(1, 2)).toEqualTypeOf<Signature<number>>();
    expectTypeOf(greet.s("ann").set({ queue: "q" })).toEqualTypeOf<Signature<string>>();
    expectTypeOf(app.stub<typeof greet>("greet").s("ann").delay()).resolves.toEqualTypeOf<AsyncResult<string>>();
    expectTypeOf(add.s(1, 2).applyAsync({ countdown: "1s" })).resolves.toEqualTypeOf<AsyncResult<number>>();
    expectTypeOf(add.s(1, 2)).toExtend<Signature>();
    // @ts-expect-error an argument is missing
    expectTypeOf(() => add.s(1)).toBeFunction();
    // @ts-expect-error no such option
    expectTypeOf(() => add.s(1, 2).set({ prio: 1 })).toBeFunction();
    // @ts-expect-error it does not change
    expectTypeOf(() => (add.s(1, 2).options = {})).toBeFunction();
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
  });
});
