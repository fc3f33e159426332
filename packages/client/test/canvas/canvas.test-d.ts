import { describe, expectTypeOf, test } from "vitest";
import {
  type AnyCanvas,
  chain,
  chord,
  createApp,
  group,
  type AsyncResult,
  type Canvas,
  type Chain,
  type Chord,
  type Group,
  type GroupResult,
  type FailureInfo,
  type Signature,
  type TaskContext,
} from "../../src/index.js";

const app = createApp();
const add = app.task("add", (x: number, y: number) => x + y);
const show = app.task("show", async (x: number) => String(x));
const sum = app.task("sum", (numbers: number[]) => numbers.length);
const known = app.task("known", (numbers: readonly (number | null)[]) => numbers.length);
const pair = app.task("pair", ([x, y]: [number, string]) => ({ x, y }));
const now = app.task("now", () => 1);
const optional = app.task("optional", (x: number, y?: number) => x + (y ?? 0));
const warn = app.task("warn", (failureInfo: FailureInfo) => failureInfo.state);
const any = app.stub("any");

type Ignored = [ignored?: unknown];

describe("a chain", () => {
  test("has the result and the handle of its last step, and needs what its first one needs", () => {
    const whole = chain(add.s(1, 2), add.s(3), show.s());
    expectTypeOf(whole).toEqualTypeOf<Chain<string, [], AsyncResult<string>>>();
    expectTypeOf(whole.delay()).resolves.toEqualTypeOf<AsyncResult<string>>();
    expectTypeOf(whole.set({ queue: "q" }).stamp({ a: 1 }).applyAsync()).resolves.toEqualTypeOf<AsyncResult<string>>();
    const open = chain(add.s(1), group(show.s(), add.s(1)));
    expectTypeOf(open.delay(1)).resolves.toEqualTypeOf<GroupResult<[string, number]>>();
    expectTypeOf(chain(whole, add.si(1, 2), open).delay()).resolves.toEqualTypeOf<GroupResult<[string, number]>>();
    expectTypeOf(chain(app.signature<number>("any"), add.s(1))).toExtend<Canvas<number>>();
    // @ts-expect-error nobody knows what comes of it
    expectTypeOf(() => chain(any.s(), add.s(1))).toBeFunction();
    // @ts-expect-error its first step is incomplete
    expectTypeOf(() => open.delay()).toBeFunction();
    // @ts-expect-error its first step is complete
    expectTypeOf(() => whole.delay(1)).toBeFunction();
  });

  test("may have steps that take nothing, or may be without", () => {
    expectTypeOf(chain(add.si(1, 2), now.si(), optional.s(1), optional.s())).toEqualTypeOf<Chain<number, Ignored, AsyncResult<number>>>();
    expectTypeOf(chain(any.s(), any.s(1), any.s())).toEqualTypeOf<Chain<unknown, [value?: unknown], AsyncResult>>();
    expectTypeOf(chain(show.s(1))).toEqualTypeOf<Chain<string, [], AsyncResult<string>>>();
  });

  test("may be long", () => {
    const a = add.s(1);
    const long = chain(add.s(1, 2), a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, a, show.s());
    expectTypeOf(long).toEqualTypeOf<Chain<string, [], AsyncResult<string>>>();
    const nested = chain(chain(chain(chain(a, a), a), a), chain(a, chain(a, chain(a, show.s()))));
    expectTypeOf(nested).toEqualTypeOf<Chain<string, [value: number], AsyncResult<string>>>();
    // @ts-expect-error the last but one
    expectTypeOf(() => chain(add.s(1, 2), a, a, a, a, a, a, a, a, a, a, a, a, show.s(), a)).toBeFunction();
  });

  test("may be made of an array", () => {
    const steps = [1, 2, 3].map((x) => add.s(x));
    expectTypeOf(chain(...steps)).toEqualTypeOf<Chain<number, [value: number], AsyncResult<number>>>();
    expectTypeOf(chain(add.s(1, 2), ...steps)).toEqualTypeOf<Chain<number, [], AsyncResult<number>>>();
    // @ts-expect-error strings for numbers
    expectTypeOf(() => chain(...[1].map(() => show.s()))).toBeFunction();
    // @ts-expect-error strings for numbers
    expectTypeOf(() => chain(show.s(1), ...steps)).toBeFunction();
  });

  test("may be made of an array that was declared, of which the compiler knows no more", () => {
    const plain: Canvas<number>[] = [];
    const signatures: Signature<number>[] = [];
    const any: AnyCanvas[] = [];
    plain.push(add.si(1, 2), now.si());
    signatures.push(add.si(1, 2));
    any.push(add.s(1, 2), add.s(1));
    expectTypeOf(chain(...plain)).toExtend<Canvas<number>>();
    expectTypeOf(chain(...signatures).delay()).resolves.toEqualTypeOf<AsyncResult<number>>();
    expectTypeOf(chain(add.s(1, 2), ...plain)).toExtend<Canvas<number>>();
    expectTypeOf(chain(...any)).toExtend<AnyCanvas>();
    const grown = [];
    grown.push(add.si(1, 2));
    grown.push(show.si(1));
    expectTypeOf(chain(...grown)).toExtend<Canvas<number | string>>();
  });

  test("without steps is a beginning that grows", () => {
    expectTypeOf(chain(chain(), add.s(1, 2), chain(), show.s())).toEqualTypeOf<Chain<string, [], AsyncResult<string>>>();
    expectTypeOf(chain(chain(), add.s(1))).toEqualTypeOf<Chain<number, [value: number], AsyncResult<number>>>();
    expectTypeOf(chain(add.s(1, 2), chain())).toEqualTypeOf<Chain<number, [], AsyncResult<number>>>();
    let long: Canvas<number> = chain();
    long = chain(long, add.s(1));
    expectTypeOf(long.delay).toBeFunction();
    // @ts-expect-error its first step is incomplete
    expectTypeOf(() => chain(chain(), add.s(1)).delay()).toBeFunction();
    // @ts-expect-error a string for a number
    expectTypeOf(() => chain(chain(), show.s(1), add.s(1))).toBeFunction();
  });

  test("may have steps that were kept as data, of which their result is known", () => {
    const data = add.s(1, 2).toJSON();
    expectTypeOf(chain(app.canvas<number>(data), add.s(1)).delay()).resolves.toEqualTypeOf<AsyncResult<number>>();
    expectTypeOf(chain(add.s(1, 2), app.canvas<number>(data), show.s())).toExtend<Canvas<string>>();
    expectTypeOf(chain(app.canvas<number[]>(data), sum.s()).delay()).resolves.toEqualTypeOf<AsyncResult<number>>();
    expectTypeOf(chord([app.canvas<number>(data)], sum.s()).delay()).resolves.toEqualTypeOf<AsyncResult<number>>();
    // @ts-expect-error an array for a number
    expectTypeOf(() => chain(app.canvas<number[]>(data), add.s(1))).toBeFunction();
    // @ts-expect-error nobody knows what comes of it
    expectTypeOf(() => chain(app.canvas(data), add.s(1))).toBeFunction();
  });

  test("leads back to the members of a group", async () => {
    const result = await chord([add.s(1, 2)], sum.s()).delay();
    expectTypeOf(result.parent?.results?.[0]?.id).toEqualTypeOf<string | undefined>();
  });

  test("of what does not fit does not compile", () => {
    // @ts-expect-error a string for a number
    expectTypeOf(() => chain(show.s(1), add.s(1))).toBeFunction();
    // @ts-expect-error all arguments and a value: use si()
    expectTypeOf(() => chain(add.s(1, 2), add.s(1, 2))).toBeFunction();
    // @ts-expect-error no place for a value: use si()
    expectTypeOf(() => chain(add.s(1, 2), now.s())).toBeFunction();
    // @ts-expect-error an argument is missing
    expectTypeOf(() => chain(add.s(1, 2), add.s())).toBeFunction();
    // @ts-expect-error in a group
    expectTypeOf(() => chain(add.s(1, 2), group(add.s(1), add.s(1, 2)))).toBeFunction();
    // @ts-expect-error in a group
    expectTypeOf(() => chain(show.s(1), group(show.s(), add.si(1, 2)))).toBeFunction();
    // @ts-expect-error in a chain
    expectTypeOf(() => chain(show.s(1), chain(add.s(1), show.s()))).toBeFunction();
    // @ts-expect-error a task is no step
    expectTypeOf(() => chain(add.s(1, 2), show)).toBeFunction();
    // @ts-expect-error what was sent is no step
    expectTypeOf(() => chain(add.delay(1, 2), show.s())).toBeFunction();
    // @ts-expect-error an array is no step
    expectTypeOf(() => chain([add.s(1, 2), show.s()])).toBeFunction();
  });
});

describe("a group", () => {
  test("has the results of its members, in their order", () => {
    expectTypeOf(group(add.s(1, 2), show.s(1))).toEqualTypeOf<Group<[number, string]>>();
    expectTypeOf(group([add.s(1, 2), show.s(1)])).toEqualTypeOf<Group<[number, string]>>();
    expectTypeOf(group([add.s(1, 2), show.s(1)]).delay()).resolves.toEqualTypeOf<GroupResult<[number, string]>>();
    expectTypeOf(group([1, 2].map((x) => add.s(x, x)))).toEqualTypeOf<Group<number[]>>();
    expectTypeOf(group([])).toEqualTypeOf<Group<[], Ignored>>();
    expectTypeOf(group(group(now.si()), chain(add.s(1, 2), show.s()))).toEqualTypeOf<Group<[[number], string]>>();
  });

  test("needs what all its members need", () => {
    expectTypeOf(group(add.s(1), show.s(), now.si())).toEqualTypeOf<Group<[number, string, number], [value: number]>>();
    expectTypeOf(group(any.s(), now.si())).toEqualTypeOf<Group<[unknown, number], [value?: unknown]>>();
    expectTypeOf(group([1, 2].map((x) => add.s(x)))).toEqualTypeOf<Group<number[], [value: number]>>();
    expectTypeOf(group(add.s(1), show.s()).delay(1)).resolves.toEqualTypeOf<GroupResult<[number, string]>>();
    // @ts-expect-error its members are incomplete
    expectTypeOf(() => group(add.s(1), show.s()).delay()).toBeFunction();
    // @ts-expect-error a link gets the result of one member
    expectTypeOf(() => group(now.si(), now.si()).link(sum.s())).toBeFunction();
    expectTypeOf(group(now.si(), now.si()).link(show.s()).onError(warn.s())).toEqualTypeOf<Group<[number, number], Ignored>>();
  });

  test("of signatures that may or may not lack an argument may take a value or none", () => {
    const either: ReturnType<typeof add.s>[] = [];
    expectTypeOf(group(either)).toEqualTypeOf<Group<number[], [value?: number]>>();
    expectTypeOf(chord(either, sum.s()).delay()).resolves.toEqualTypeOf<AsyncResult<number>>();
  });

  test("before a step gives it an array", () => {
    expectTypeOf(chain(group(now.si(), add.s(1, 2)), sum.s()).delay()).resolves.toEqualTypeOf<AsyncResult<number>>();
    expectTypeOf(chain(group(now.si(), show.s(1)), pair.s()).delay()).resolves.toEqualTypeOf<AsyncResult<{ x: number; y: string }>>();
    expectTypeOf(chain(group([1].map((x) => add.s(x, x))), sum.s(), add.s(1)).delay()).resolves.toEqualTypeOf<AsyncResult<number>>();
    // @ts-expect-error strings
    expectTypeOf(() => chain(group(show.s(1), show.s(2)), sum.s())).toBeFunction();
    // @ts-expect-error an array for a number
    expectTypeOf(() => chain(group(now.si()), add.s(1))).toBeFunction();
    // @ts-expect-error an array for a number, whatever is in it
    expectTypeOf(() => chain(group(app.signature("add", [1, 1])), add.s(2))).toBeFunction();
    // @ts-expect-error an array for a number
    expectTypeOf(() => chain(add.starmap([[1, 2]]), add.s(2))).toBeFunction();
    // @ts-expect-error an array for a number
    expectTypeOf(() => chain(add.s(1, 2), group(add.s(1)), add.s(2))).toBeFunction();
  });
});

describe("a chord", () => {
  test("has the result of its body, and needs what its header needs", () => {
    expectTypeOf(chord([add.s(1, 2), now.si()], sum.s())).toEqualTypeOf<Chord<number>>();
    expectTypeOf(chord(group(add.s(1), now.si()), sum.s())).toEqualTypeOf<Chord<number, [value: number]>>();
    expectTypeOf(
      chord(
        [1].map((x) => add.s(x, x)),
        sum.s(),
      ).delay(),
    ).resolves.toEqualTypeOf<AsyncResult<number>>();
    expectTypeOf(chord([now.si()], chain(sum.s(), group(show.s(), add.s(1)))).delay()).resolves.toEqualTypeOf<
      GroupResult<[string, number]>
    >();
    expectTypeOf(chain(add.s(1, 2), chord([add.s(1), show.s()], pair.s()))).toEqualTypeOf<
      Chain<{ x: number; y: string }, [], AsyncResult<{ x: number; y: string }>>
    >();
    // @ts-expect-error strings
    expectTypeOf(() => chord([show.s(1)], sum.s())).toBeFunction();
    // @ts-expect-error no place for the array
    expectTypeOf(() => chord([now.si()], add.s(1, 2))).toBeFunction();
    // @ts-expect-error a header is a group
    expectTypeOf(() => chord(chain(now.si()), sum.s())).toBeFunction();
  });

  test("that goes on without those that failed has gaps", () => {
    expectTypeOf(chord([now.si(), now.si()], known.s(), { onFailure: "partial" })).toEqualTypeOf<Chord<number, Ignored>>();
    // @ts-expect-error null for a number
    expectTypeOf(() => chord([now.si()], sum.s(), { onFailure: "partial" })).toBeFunction();
    // @ts-expect-error neither
    expectTypeOf(() => chord([now.si()], known.s(), { onFailure: "ignore" })).toBeFunction();
  });
});

describe("many calls of a task", () => {
  test("with one argument or a list of them", () => {
    expectTypeOf(show.map([1, 2])).toEqualTypeOf<Group<string[], Ignored>>();
    expectTypeOf(optional.map([1, 2])).toEqualTypeOf<Group<number[], Ignored>>();
    expectTypeOf(sum.map([[1], [2]])).toEqualTypeOf<Group<number[], Ignored>>();
    expectTypeOf(
      add.starmap([
        [1, 2],
        [3, 4],
      ]),
    ).toEqualTypeOf<Group<number[], Ignored>>();
    expectTypeOf(
      add.chunks(
        [
          [1, 2],
          [3, 4],
        ],
        1,
      ),
    ).toEqualTypeOf<Group<number[][], Ignored>>();
    expectTypeOf(chain(show.map([1, 2]), app.stub<typeof warnAll>("warnAll").s()).delay()).resolves.toEqualTypeOf<AsyncResult<number>>();
    // @ts-expect-error it has two arguments
    expectTypeOf(() => add.map([1])).toBeFunction();
    // @ts-expect-error strings
    expectTypeOf(() => show.map(["1"])).toBeFunction();
    // @ts-expect-error an argument is missing
    expectTypeOf(() => add.starmap([[1]])).toBeFunction();
    // @ts-expect-error no size
    expectTypeOf(() => add.chunks([[1, 2]])).toBeFunction();
  });
});

const warnAll = app.task("warnAll", (all: string[]) => all.length);

test("a canvas of any kind can be passed on", () => {
  const send = async (canvas: Canvas<number>) => await (await canvas.delay()).get();
  expectTypeOf(send).returns.resolves.toEqualTypeOf<number>();
  expectTypeOf(send).toBeCallableWith(add.s(1, 2));
  expectTypeOf(send).toBeCallableWith(chain(add.s(1, 2), add.s(1)));
  expectTypeOf(send).toBeCallableWith(chord([now.si()], sum.s()));
  // @ts-expect-error it is incomplete
  expectTypeOf(() => send(add.s(1))).toBeFunction();
  // @ts-expect-error a string
  expectTypeOf(() => send(show.s(1))).toBeFunction();
  expectTypeOf(app.canvas<number>(add.s(1, 2).toJSON())).toExtend<Canvas>();
  expectTypeOf(async () => await app.canvas(add.s(1, 2).toJSON()).delay()).returns.resolves.toExtend<AsyncResult | GroupResult>();
});

test("a task can add a call to its chord, and gets the handle on its result", () => {
  app.task("one", async function () {
    expectTypeOf(await this.addToChord(add.s(1, 2))).toEqualTypeOf<AsyncResult<number>>();
    expectTypeOf(await this.addToChord(show.s(1))).toEqualTypeOf<AsyncResult<string>>();
    expectTypeOf(await this.addToChord(app.signature<boolean>("far", [1]))).toEqualTypeOf<AsyncResult<boolean>>();
  });
  // @ts-expect-error it is incomplete
  expectTypeOf((context: TaskContext) => context.addToChord(add.s(1))).toBeFunction();
  // @ts-expect-error it is no single call
  expectTypeOf((context: TaskContext) => context.addToChord(chain(add.s(1, 2), show.s()))).toBeFunction();
  // @ts-expect-error it is no call at all
  expectTypeOf((context: TaskContext) => context.addToChord("add")).toBeFunction();
});

test("a task can be replaced, and keeps the type of its result", () => {
  const one = app.task("one", function (x: number) {
    if (x > 1) return this.replace(chain(add.s(1, 2), show.s()));
    return x;
  });
  expectTypeOf(one.delay(1)).resolves.toEqualTypeOf<AsyncResult<number | string>>();
  app.task("other", function (x: number): number {
    // @ts-expect-error it gives a string
    return this.replace(show.s(x));
  });
  // @ts-expect-error it is incomplete
  expectTypeOf((context: TaskContext) => context.replace(add.s(1))).toBeFunction();
  expectTypeOf<Signature<number, Ignored>>().toExtend<Signature<number, [value: number]>>();
});
