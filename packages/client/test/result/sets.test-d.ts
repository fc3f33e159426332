import { describe, expectTypeOf, test } from "vitest";
import {
  asCompleted,
  gather,
  waitFor,
  type AsyncResult,
  type GroupResult,
  type Handle,
  type Progress,
  type TaskDetails,
  type TaskOutcome,
  type TaskState,
  type Waited,
} from "../../src/index.js";

declare const count: AsyncResult<number>;
declare const name: AsyncResult<string>;
declare const many: readonly AsyncResult<number>[];
declare const group: GroupResult<[number, string]>;
declare const nested: GroupResult<[number, readonly string[]]>;

describe("gather", () => {
  test("a tuple: a tuple of values; an array: an array of values", () => {
    expectTypeOf(gather([count, name])).resolves.toEqualTypeOf<[number, string]>();
    expectTypeOf(gather([count, group, name])).resolves.toEqualTypeOf<[number, [number, string], string]>();
    expectTypeOf(gather(many)).resolves.toEqualTypeOf<number[]>();
    expectTypeOf(gather([count], { timeout: "1s", propagate: true })).resolves.toEqualTypeOf<[number]>();
    expectTypeOf(gather([])).resolves.toEqualTypeOf<[]>();
  });

  test("propagate false: outcomes", () => {
    expectTypeOf(gather([count, group], { propagate: false })).resolves.toEqualTypeOf<
      [TaskOutcome<number>, TaskOutcome<[number, string]>]
    >();
    expectTypeOf(gather(many, { propagate: false })).resolves.toEqualTypeOf<TaskOutcome<number>[]>();
  });

  test("takes nothing but handles", () => {
    // @ts-expect-error a promise of a handle
    expectTypeOf(() => gather([count, Promise.resolve(name)])).toBeFunction();
    // @ts-expect-error misspelt
    expectTypeOf(() => gather([count], { timeuot: "1s" })).toBeFunction();
    // @ts-expect-error one that is not in an array
    expectTypeOf(() => gather(count)).toBeFunction();
  });
});

test("asCompleted: yields the handles, those in groups included", () => {
  expectTypeOf(asCompleted(many)).toEqualTypeOf<AsyncGenerator<AsyncResult<number>, void, undefined>>();
  expectTypeOf(asCompleted([count, name])).toEqualTypeOf<AsyncGenerator<AsyncResult<number> | AsyncResult<string>, void, undefined>>();
  expectTypeOf(asCompleted([group])).toEqualTypeOf<AsyncGenerator<AsyncResult<number | string>, void, undefined>>();
  expectTypeOf(nested.asCompleted()).toEqualTypeOf<AsyncGenerator<AsyncResult, void, undefined>>();
  // @ts-expect-error it takes no failure for an error
  expectTypeOf(() => asCompleted(many, { propagate: false })).toBeFunction();
});

test("waitFor: returns the handles of its arguments", () => {
  expectTypeOf(waitFor(many)).resolves.toEqualTypeOf<Waited<AsyncResult<number>>>();
  expectTypeOf(waitFor([count, group], { until: "first", timeout: "1s" })).resolves.toEqualTypeOf<
    Waited<AsyncResult<number> | GroupResult<[number, string]>>
  >();
  // @ts-expect-error no such end
  expectTypeOf(() => waitFor(many, { until: "last" })).toBeFunction();
});

describe("the handle on a group", () => {
  test("is not thenable", () => {
    expectTypeOf(group).not.toHaveProperty("then");
  });

  test("gives its values, or outcomes", () => {
    expectTypeOf(group.get()).resolves.toEqualTypeOf<[number, string]>();
    expectTypeOf(group.get({ timeout: 5 })).resolves.toEqualTypeOf<[number, string]>();
    expectTypeOf(group.get({ propagate: false })).resolves.toEqualTypeOf<[TaskOutcome<number>, TaskOutcome<string>]>();
    expectTypeOf<GroupResult<number[]>>().toExtend<GroupResult>();
    expectTypeOf<GroupResult<number[]>>().toExtend<Handle<number[]>>();
    // @ts-expect-error another type
    expectTypeOf<GroupResult<string[]>>().toExtend<GroupResult<number[]>>();
  });

  test("calls back with the outcomes and itself", () => {
    group.onDone((outcomes, result) => {
      expectTypeOf(outcomes).toEqualTypeOf<[TaskOutcome<number>, TaskOutcome<string>]>();
      expectTypeOf(result).toEqualTypeOf(group);
    });
  });

  test("is iterable over its members", () => {
    expectTypeOf([...group]).toEqualTypeOf<Handle<number | string>[]>();
    expectTypeOf(group.results[1].get()).resolves.toEqualTypeOf<string>();
    expectTypeOf(group.results[0].status()).resolves.toEqualTypeOf<TaskState>();
  });
});

describe("the handle on one", () => {
  test("gives details, children, and the step before", () => {
    expectTypeOf(count.details()).resolves.toEqualTypeOf<TaskDetails<number>>();
    expectTypeOf(count.children()).resolves.toEqualTypeOf<readonly AsyncResult[]>();
    expectTypeOf(count.parent).toEqualTypeOf<Handle | undefined>();
  });

  test("iterates over progress, and returns the outcome", () => {
    expectTypeOf(count.iterate()).toEqualTypeOf<AsyncGenerator<Progress, TaskOutcome<number>, undefined>>();
    // @ts-expect-error no duration
    expectTypeOf(() => count.iterate({ timeout: "soon" })).toBeFunction();
  });

  test("calls back with the outcome and itself", () => {
    count.onDone((outcome, result) => {
      expectTypeOf(outcome).toEqualTypeOf<TaskOutcome<number>>();
      expectTypeOf(result).toEqualTypeOf(count);
    });
  });
});
