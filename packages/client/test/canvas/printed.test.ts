import { inspect } from "node:util";
import { expect, test } from "vitest";
import { chain, Chain, chord, createApp, group, Signature } from "../../src/index.js";

const app = createApp();
const add = app.stub<typeof tasks.add>("add");
const sum = app.stub<typeof tasks.sum>("sum");
const tasks = {
  add: createApp().task("add", (x: number, y: number) => x + y),
  sum: createApp().task("sum", (all: readonly number[]) => all.length),
};

test.each([
  ["a signature", add.s(1, 2), "add(1, 2)"],
  ["a chain", chain(add.s(1, 1), add.s(2)), "chain(add(1, 1), add(2))"],
  ["a group", group(add.s(1, 1), add.si(2, 2)), "group(add(1, 1), add(2, 2))"],
  ["a chord", chord([add.s(1, 1), add.s(2, 2)], sum.s()), "chord(group(add(1, 1), add(2, 2)), sum())"],
  ["a chunk", add.chunks([[1, 2], [3, 4], [5, 6]], 2), "group(chunk(add, [ 1, 2 ], [ 3, 4 ]), chunk(add, [ 5, 6 ]))"], // prettier-ignore
  ["a group of none", group([]), "group()"],
])("%s: String() and console.log show it as it was written", (_, canvas, text) => {
  expect(String(canvas)).toBe(text);
  expect(inspect(canvas)).toBe(text);
  expect(inspect({ canvas })).toContain(text);
});

test("long arguments and long canvases: clipped; arguments without a JSON form: shown", () => {
  const long = app.signature("long", ["x".repeat(1_000_000), { a: [1n, new Date(Number.NaN)] }]);
  expect(String(long).length).toBeLessThan(200);
  expect(String(long)).toMatch(/^long\('x{50,}.*…, \{ a: \[ 1n, Invalid Date \] \}\)$/);
  const many = group(Array.from({ length: 100_000 }, (_, index) => add.s(index, index)));
  expect(String(many).length).toBeLessThan(6000);
  expect(String(many)).toMatch(/^group\(add\(0, 0\), .*, …\)$/);
});

test("parts of a canvas: tasks, body and clone at any depth leave the canvas unchanged", () => {
  const whole = chain(add.s(1, 1), group(add.s(2), chain(add.s(3), add.s(4))), sum.s());
  const [first, middle, last] = whole.tasks;
  expect(whole.tasks.map(String)).toEqual(["add(1, 1)", "group(add(2), chain(add(3), add(4)))", "sum()"]);
  expect(first).toBeInstanceOf(Signature);
  expect((first as Signature).set({ queue: "other" }).options).toEqual({ queue: "other" });
  expect((whole.tasks[0] as Signature).options).toEqual({});
  const inner = (middle as ReturnType<typeof group>).tasks[1];
  expect(inner).toBeInstanceOf(Chain);
  expect((inner as Chain).tasks.map(String)).toEqual(["add(3)", "add(4)"]);
  expect(((inner as Chain).clone({ priority: 3 }).tasks[1] as Signature).options).toEqual({ priority: 3 });
  expect(String(last)).toBe("sum()");
  const both = chord([add.s(1, 1)], sum.s());
  expect([...both.tasks, both.body].map(String)).toEqual(["add(1, 1)", "sum()"]);
  expect(both.clone()).not.toBe(both);
  expect(both.clone().toJSON()).toEqual(both.toJSON());
});
