import { createApp } from "@bullrush/client";
import { expect, expectTypeOf, test } from "vitest";
import { eager, expectNotSent, expectSent, sent, testWorker, type SentCall } from "../src/index.js";

const app = createApp();
const add = app.task("tasks.add", (x: number, y: number) => x + y);
const greet = app.task("tasks.greet", async (name: string, times?: number) => `${name} ${times}`);
const stub = app.stub<typeof add>("tasks.add");

test("expectSent takes the arguments of its task, and returns the call", () => {
  expectTypeOf(expectSent(add, [1, 2])).toEqualTypeOf<SentCall>();
  expectTypeOf(expectSent(stub, [1, 2])).toEqualTypeOf<SentCall>();
  expectTypeOf(expectSent(greet, ["ann"])).toEqualTypeOf<SentCall>();
  expectTypeOf(expectNotSent(greet, ["ann", 2])).toEqualTypeOf<void>();
  expectSent(add, [expect.any(Number), 2]);
  expectSent("tasks.add", [1, "anything"]);
  // @ts-expect-error: its arguments are numbers
  expectSent(add, [1, "2"]);
  // @ts-expect-error: it has two arguments
  expectSent(stub, [1]);
  // @ts-expect-error: not a task
  expectSent(app);
});

test("eager and testWorker can be disposed", () => {
  expectTypeOf(eager(app)).toExtend<AsyncDisposable & Disposable>();
  expectTypeOf(testWorker(app)).toExtend<AsyncDisposable & Disposable>();
  expectTypeOf(sent(app)).toEqualTypeOf<readonly SentCall[]>();
});
