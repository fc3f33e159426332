import * as fc from "fast-check";

/**
 * A canvas over pure tasks, in short: what is built of it is in `canvas-of.ts`, what it comes to in
 * `value-of.ts`.
 */
export type Shape =
  | { readonly type: "mix"; readonly args: readonly number[]; readonly immutable: boolean }
  /** A task that a canvas replaces. */
  | { readonly type: "swap"; readonly by: Shape; readonly immutable: boolean }
  | { readonly type: "chain"; readonly steps: readonly Shape[] }
  | { readonly type: "group"; readonly members: readonly Shape[] }
  | { readonly type: "chord"; readonly header: readonly Shape[]; readonly body: Shape; readonly onFailure: "fail" | "partial" }
  | { readonly type: "map"; readonly items: readonly number[] }
  | { readonly type: "starmap"; readonly lists: readonly (readonly number[])[] }
  | { readonly type: "chunks"; readonly lists: readonly (readonly number[])[]; readonly size: number };

const number = fc.integer({ min: 0, max: 99 });
const numbers = fc.array(number, { maxLength: 2 });
const lists = fc.array(numbers, { maxLength: 4 });

const leaf: fc.Arbitrary<Shape> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ type: fc.constant("mix"), args: numbers, immutable: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("map"), items: numbers }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("starmap"), lists }) },
  { weight: 1, arbitrary: fc.record({ type: fc.constant("chunks"), lists, size: fc.integer({ min: 1, max: 3 }) }) },
);

/** Shapes that go `depth` levels deep at least on one way down. */
function shape(depth: number): fc.Arbitrary<Shape> {
  if (depth <= 1) return leaf;
  const within = shape(depth - 1);
  const some = (least: number, most: number) =>
    fc
      .tuple(
        within,
        fc.array(fc.oneof({ weight: 2, arbitrary: leaf }, { weight: 1, arbitrary: within }), { minLength: least - 1, maxLength: most - 1 }),
      )
      .map(([deep, others]) => [...others, deep]);
  return fc.oneof(
    { weight: 3, arbitrary: fc.record({ type: fc.constant("chain"), steps: some(2, 3) }) },
    { weight: 2, arbitrary: fc.record({ type: fc.constant("group"), members: some(1, 3) }) },
    {
      weight: 3,
      arbitrary: fc.record({
        type: fc.constant("chord"),
        header: some(1, 3),
        body: leaf,
        onFailure: fc.constantFrom("fail" as const, "partial" as const),
      }),
    },
    { weight: 1, arbitrary: fc.record({ type: fc.constant("swap"), by: within, immutable: fc.boolean() }) },
  );
}

/** `count` shapes of depth 3 to 5, the same for the same seed. */
export function shapes(count: number, seed: number): readonly Shape[] {
  return fc.sample(fc.oneof(shape(3), shape(3), shape(4), shape(5)), { numRuns: count, seed });
}

/** The shapes within a shape. */
function partsOf(shape: Shape): readonly Shape[] {
  switch (shape.type) {
    case "chain":
      return shape.steps;
    case "group":
      return shape.members;
    case "chord":
      return [...shape.header, shape.body];
    case "swap":
      return [shape.by];
    default:
      return [];
  }
}

export function depthOf(shape: Shape): number {
  return 1 + Math.max(0, ...partsOf(shape).map(depthOf));
}

/** How many tasks run one after the other, on the longest way through it. */
export function lengthOf(shape: Shape): number {
  const longest = (parts: readonly Shape[]) => Math.max(0, ...parts.map(lengthOf));
  switch (shape.type) {
    case "mix":
      return 1;
    case "swap":
      return 1 + lengthOf(shape.by);
    case "chain":
      return shape.steps.reduce((sum, step) => sum + lengthOf(step), 0);
    case "group":
      return longest(shape.members);
    case "chord":
      return longest(shape.header) + lengthOf(shape.body);
    case "map":
      return Math.min(1, shape.items.length);
    case "starmap":
    case "chunks":
      return Math.min(1, shape.lists.length);
  }
}

/** How many shapes of each kind and depth there are, a line for each. */
export function histogram(all: readonly Shape[]): string {
  const depths = new Map<number, number>();
  const kinds = new Map<string, number>();
  const add = <T>(counts: Map<T, number>, of: T) => counts.set(of, (counts.get(of) ?? 0) + 1);
  const visit = (one: Shape) => {
    add(kinds, one.type);
    partsOf(one).forEach(visit);
  };
  for (const one of all) {
    add(depths, depthOf(one));
    visit(one);
  }
  const line = ([of, count]: readonly [string | number, number]) =>
    `  ${String(of).padEnd(8)} ${String(count).padStart(5)} ${"#".repeat(Math.ceil(count / 10))}`;
  return [
    "depths",
    ...[...depths].toSorted(([a], [b]) => a - b).map(line),
    "within them",
    ...[...kinds].toSorted(([, a], [, b]) => b - a).map(line),
  ].join("\n");
}
