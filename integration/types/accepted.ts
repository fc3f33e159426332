import {
  chain,
  chord,
  createApp,
  currentTask,
  group,
  type AnyTaskFunction,
  type AsyncResult,
  type GroupResult,
  type Json,
  type SendableBy,
  type TaskOf,
} from "@bullrush/client";
import { expectTypeOf } from "vitest";

/** Each statement compiles, and infers what stands beside it. */

interface Order {
  readonly id: string;
  lines: { sku: string; count?: number }[];
  note?: string | undefined;
}

interface Tree {
  name: string;
  children: readonly Tree[];
}

interface Page<Item> {
  items: readonly Item[];
  next: number | null;
}

type Shape = { kind: "circle"; r: number } | { kind: "square"; side: number };
type UserId = string & { readonly brand: "UserId" };

const app = createApp();
const add = app.task("add", (x: number, y: number) => x + y);
const order = app.task("order", (given: Order): Order => given);
const tree = app.task("tree", (given: Tree) => given.children.at(0));
const page = app.task("page", (given: Page<Order>): Page<string> => ({ items: given.items.map(({ id }) => id), next: null }));
const shape = app.task("shape", (given: Shape) => given.kind);
const user = app.task("user", (id: UserId) => id);
const fixed = app.task("fixed", (pair: readonly [number, string?], all: readonly string[]) => [pair[0], all] as const);
const list = app.task("list", (size = 20, from: number = 0) => [size, from]);
const paged = app.task("paged", function (text: string, size = 20) {
  return `${this.id}${text}${size}`;
});
const optional = app.task("optional", async (x: number, y?: string) => ({ x, ...(y !== undefined && { y }) }));
const rest = app.task("rest", (first: string, ...others: number[]) => others.length + first.length);
const nothing = app.task("nothing", async () => {});
const perhaps = app.task("perhaps", (x: number) => (x > 0 ? x : undefined));
const anything = app.task("anything", (x: unknown) => x);
const parsed = app.task("parsed", (text: string) => JSON.parse(text));
const json = app.task("json", (x: Json) => x);
const record = app.task("record", (x: Record<string, unknown>) => Object.keys(x));
const generic = app.task("generic", <Item extends string | number>(items: readonly Item[]) => items.at(0) ?? null);
const failing = app.task("failing", (why: string): number => {
  throw new RangeError(why);
});
const again = app.task("again", { maxRetries: null }, async function (x: number) {
  return x > 0 ? x : this.retry({ countdown: "1 minute" });
});
const sum = app.task("sum", (values: readonly number[]) => values.length);
const show = app.task("show", (x: number, suffix = "!") => `${x}${suffix}`);
const define = <Run extends AnyTaskFunction>(name: string, run: Run & SendableBy<Run>): TaskOf<Run> => app.task(name, run);
const defined = define("defined", (x: number, size = 20) => [x, size]);
const stub = app.stub<typeof paged>("paged");

expectTypeOf(add.delay(1, 2)).resolves.toEqualTypeOf<AsyncResult<number>>(); // 1
expectTypeOf(order.delay({ id: "a", lines: [{ sku: "b" }] })).resolves.toEqualTypeOf<AsyncResult<Order>>(); // 2
expectTypeOf(tree.delay({ name: "a", children: [] })).resolves.toEqualTypeOf<AsyncResult<Tree | undefined>>(); // 3
expectTypeOf(page.delay({ items: [], next: 1 })).resolves.toEqualTypeOf<AsyncResult<Page<string>>>(); // 4
expectTypeOf(shape.delay({ kind: "square", side: 1 })).resolves.toEqualTypeOf<AsyncResult<"circle" | "square">>(); // 5
expectTypeOf(user.delay).parameters.toEqualTypeOf<[id: UserId]>(); // 6
expectTypeOf(fixed.delay([1], ["a"])).resolves.toEqualTypeOf<AsyncResult<readonly [number, readonly string[]]>>(); // 7
expectTypeOf(list.delay).parameters.toEqualTypeOf<[size?: number | undefined, from?: number | undefined]>(); // 8
expectTypeOf(paged.delay).parameters.toEqualTypeOf<[text: string, size?: number | undefined]>(); // 9
expectTypeOf(paged.delay("a")).resolves.toEqualTypeOf<AsyncResult<string>>(); // 10
expectTypeOf(optional.delay(1)).resolves.toEqualTypeOf<AsyncResult<{ y?: string; x: number }>>(); // 11
expectTypeOf(rest.delay).parameters.toEqualTypeOf<[first: string, ...others: number[]]>(); // 12
expectTypeOf(nothing.delay()).resolves.toEqualTypeOf<AsyncResult<void>>(); // 13
expectTypeOf(perhaps.delay(1)).resolves.toEqualTypeOf<AsyncResult<number | undefined>>(); // 14
expectTypeOf(anything.delay(new Date())).resolves.toEqualTypeOf<AsyncResult>(); // 15
expectTypeOf((await (await parsed.delay("1")).get()).whatever).toBeAny(); // 16
expectTypeOf(json.delay({ a: [1, null] })).resolves.toEqualTypeOf<AsyncResult<Json>>(); // 17
expectTypeOf(record.delay({ a: 1 })).resolves.toEqualTypeOf<AsyncResult<string[]>>(); // 18
expectTypeOf(generic.delay(["a"])).resolves.toEqualTypeOf<AsyncResult<string | number | null>>(); // 19
expectTypeOf(failing.delay("a")).resolves.toEqualTypeOf<AsyncResult<number>>(); // 20
expectTypeOf(again.delay(1)).resolves.toEqualTypeOf<AsyncResult<number>>(); // 21
expectTypeOf(add.applyAsync([1, 2], { countdown: "1 minute" })).resolves.toEqualTypeOf<AsyncResult<number>>(); // 22
expectTypeOf(add.applyAsync([1, 2], { eta: new Date(), expires: "2 HOURS" })).resolves.toEqualTypeOf<AsyncResult<number>>(); // 23
expectTypeOf(chain(add.s(1, 2), show.s(), anything.s()).delay()).resolves.toEqualTypeOf<AsyncResult>(); // 24
expectTypeOf(chain(add.s(1, 2), show.s("?")).delay()).resolves.toEqualTypeOf<AsyncResult<string>>(); // 25
expectTypeOf(chord(group(add.s(1, 2), add.s(3, 4)), sum.s()).delay()).resolves.toEqualTypeOf<AsyncResult<number>>(); // 26
expectTypeOf(list.map([1, 2]).delay()).resolves.toEqualTypeOf<GroupResult<number[][]>>(); // 27
expectTypeOf(defined.delay).parameters.toEqualTypeOf<[x: number, size?: number | undefined]>(); // 28
expectTypeOf(stub.s("a").delay()).resolves.toEqualTypeOf<AsyncResult<string>>(); // 29
expectTypeOf(app.sendTask<number>("add", [1, 2], { countdown: 10 })).resolves.toEqualTypeOf<AsyncResult<number>>(); // 30
expectTypeOf(currentTask().replace(chain(add.s(1, 2), show.s()))).toEqualTypeOf<string>(); // 31
