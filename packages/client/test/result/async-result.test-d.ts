import { expectTypeOf, test } from "vitest";
import type { AsyncResult, Failure, GetOptions, TaskFailedError, TaskOutcome, TaskRevokedError, TaskState } from "../../src/index.js";

declare const re: AsyncResult<{ sum: number }>;

test("a handle is not thenable", () => {
  expectTypeOf(re).not.toHaveProperty("then");
  expectTypeOf(re).not.toExtend<PromiseLike<unknown>>();
  expectTypeOf<Awaited<AsyncResult<number>>>().toEqualTypeOf<AsyncResult<number>>();
});

test("get(): the value", () => {
  expectTypeOf(re.get()).resolves.toEqualTypeOf<{ sum: number }>();
  expectTypeOf(re.get({ timeout: "1s", signal: new AbortController().signal })).resolves.toEqualTypeOf<{ sum: number }>();
  expectTypeOf(re.get({ propagate: true })).resolves.toEqualTypeOf<{ sum: number }>();
});

test("get({ propagate: false }): the outcome, a union by state", () => {
  expectTypeOf(re.get({ propagate: false })).resolves.toEqualTypeOf<TaskOutcome<{ sum: number }>>();
  expectTypeOf(re.get({ propagate: false, timeout: 5 })).resolves.toEqualTypeOf<TaskOutcome<{ sum: number }>>();
  expectTypeOf<TaskOutcome<number>["state"]>().toEqualTypeOf<"SUCCESS" | "FAILURE" | "REVOKED">();
  expectTypeOf<Extract<TaskOutcome<number>, { state: "SUCCESS" }>["result"]>().toEqualTypeOf<number>();
  expectTypeOf<Extract<TaskOutcome<number>, { state: "FAILURE" }>["failure"]>().toEqualTypeOf<Failure>();
  expectTypeOf<Extract<TaskOutcome<number>, { state: "REVOKED" }>["reason"]>().toEqualTypeOf<string>();
});

test("the rest", () => {
  expectTypeOf(re.id).toEqualTypeOf<string>();
  expectTypeOf(re.status()).resolves.toEqualTypeOf<TaskState>();
  expectTypeOf(re.ready()).resolves.toEqualTypeOf<boolean>();
  expectTypeOf(re.result()).resolves.toEqualTypeOf<{ sum: number } | TaskFailedError | TaskRevokedError | undefined>();
  expectTypeOf(re.info()).resolves.toEqualTypeOf<unknown>();
  expectTypeOf(re.worker()).resolves.toEqualTypeOf<string | undefined>();
  expectTypeOf(re.attempts()).resolves.toEqualTypeOf<number | undefined>();
  expectTypeOf(re.forget()).resolves.toEqualTypeOf<void>();
});

test("options that do not fit do not compile", () => {
  expectTypeOf<{ timeout: 1000 }>().toExtend<GetOptions>();
  // @ts-expect-error no duration
  expectTypeOf(() => re.get({ timeout: "soon" })).toBeFunction();
  // @ts-expect-error misspelt
  expectTypeOf(() => re.get({ timeuot: "1s" })).toBeFunction();
  // @ts-expect-error a signal, not its controller
  expectTypeOf(() => re.get({ signal: new AbortController() })).toBeFunction();
  // @ts-expect-error an outcome is not a value
  expectTypeOf(() => re.get({ propagate: false }).then((outcome) => outcome.sum)).toBeFunction();
});
