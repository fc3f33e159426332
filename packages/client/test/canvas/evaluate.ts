import type { CallData, ChainData, GroupData } from "../../src/canvas/canvas.js";
import type { CanvasData } from "../../src/index.js";

/** What tasks do, by their names. */
export type Functions = Readonly<Record<string, (...args: readonly unknown[]) => unknown>>;

/** How something comes out. */
export type Ending = { readonly value: unknown } | { readonly failureInfo: string };

/**
 * The same, and what failed: a call, or a group without calls; unknown behind a group that failed,
 * where the step behind it is what fails.
 */
type Traced = { readonly value: unknown } | { readonly failureInfo: string; readonly by?: CanvasData };

/** The value that a part of a canvas gets; none at the beginning. */
type Coming = Traced | { readonly starts: true };

/** Error links around a part, and the parts whose failures call them. */
interface Watch {
  readonly links: readonly CanvasData[];
  readonly whose: ReadonlySet<CanvasData>;
}

/**
 * The value that a canvas has to come to, worked out here and now, with its links. Throws what has
 * failed first, in the order of the canvas.
 */
export function evaluate(canvas: CanvasData, functions: Functions): unknown {
  const ending = endingOf(canvas, { starts: true }, [], functions);
  if ("failureInfo" in ending) throw new Error(ending.failureInfo);
  return ending.value;
}

/** What fails before a group, the group fails of, whatever becomes of its members. */
function endingOf(canvas: CanvasData, coming: Coming, watches: readonly Watch[], functions: Functions): Traced {
  switch (canvas.type) {
    case "call":
      return callEnding(canvas, coming, watches, functions);
    case "chain":
      return chainEnding(canvas, coming, watches, functions);
    case "group":
      return groupEnding(canvas, coming, "fail", watches, functions);
    case "chord": {
      const atHeader = isEmpty(canvas.body) ? watches : [];
      const header = groupEnding(canvas.header, coming, canvas.onFailure, atHeader, functions);
      return endingOf(canvas.body, header, watches, functions);
    }
  }
}

function callEnding(call: CallData, coming: Coming, watches: readonly Watch[], functions: Functions): Traced {
  const { link = [], onError = [] } = call;
  const ending: Traced = "failureInfo" in coming ? { by: call, ...coming } : { ...run(call, coming, functions), by: call };
  if ("value" in ending) for (const one of link) endingOf(one, ending, [], functions);
  else {
    const by = ending.by ?? call;
    const told = [{ links: onError, whose: new Set<CanvasData>([call]) }, ...watches].filter(({ whose }) => whose.has(by));
    for (const one of told.flatMap(({ links }) => links)) endingOf(one, { value: ending.failureInfo }, [], functions);
  }
  return ending;
}

function chainEnding({ steps, onError = [] }: ChainData, coming: Coming, around: readonly Watch[], functions: Functions): Traced {
  const watches = [...around, { links: onError, whose: new Set(steps.flatMap(partsOf)) }];
  const standing = standingOf(steps);
  return steps.reduce<Coming>((value, step, index) => {
    const place = standing.indexOf(index);
    // Those at the first of these steps hear of what fails before all of it as well.
    const whose = new Set(steps.slice((standing[place - 1] ?? -1) + 1, index + 1).flatMap(partsOf));
    const here = place <= 0 ? watches : watches.map(({ links }) => ({ links, whose }));
    return endingOf(step, value, place < 0 ? [] : here, functions);
  }, coming) as Traced;
}

/**
 * The steps at which the error links of a chain stand: the last, and before each that is a group
 * the last that is none.
 */
function standingOf(steps: readonly CanvasData[]): readonly number[] {
  const last = steps.findLastIndex((step) => !isEmpty(step));
  if (last < 0) return [];
  if (!endsInGroup(steps[last]!)) return [last];
  const single = steps.findLastIndex((step, index) => index < last && !endsInGroup(step));
  return single < 0 ? [last] : [single, last];
}

function endsInGroup(canvas: CanvasData): boolean {
  if (canvas.type === "chain") return endsInGroup(canvas.steps.at(-1)!);
  return canvas.type === "group" || (canvas.type === "chord" && endsInGroup(canvas.body));
}

function isEmpty(canvas: CanvasData): boolean {
  return partsOf(canvas).every(({ type }) => type === "group");
}

/** The calls and groups within a canvas, without its links. */
function partsOf(canvas: CanvasData): readonly CanvasData[] {
  switch (canvas.type) {
    case "call":
      return [canvas];
    case "chain":
      return canvas.steps.flatMap(partsOf);
    case "group":
      return [canvas, ...canvas.members.flatMap(partsOf)];
    case "chord":
      return [...partsOf(canvas.header), ...partsOf(canvas.body)];
  }
}

function groupEnding(
  canvas: GroupData,
  coming: Coming,
  onFailure: "fail" | "partial",
  watches: readonly Watch[],
  functions: Functions,
): Traced {
  const endings = canvas.members.map((member) => endingOf(member, coming, watches, functions));
  if (!("failureInfo" in coming)) return joined(endings, onFailure);
  // Behind a group that failed, its members are what fails; one of none passes that on.
  const [by] = endings.flatMap((ending) => ("failureInfo" in ending && ending.by ? [ending.by] : []));
  return endings.length === 0 ? coming : { by: by ?? canvas, ...coming };
}

/** What comes of the endings of a group's members. */
export function joined(endings: readonly Ending[], onFailure: "fail" | "partial"): Ending {
  const failureInfo = endings.find((ending) => "failureInfo" in ending);
  if (failureInfo !== undefined && onFailure === "fail") return { failureInfo: failureInfo.failureInfo };
  return { value: endings.map((ending) => ("value" in ending ? ending.value : null)) };
}

function run({ task, args, immutable, each }: CallData, coming: Coming, functions: Functions): Ending {
  const first = "value" in coming && immutable !== true ? [coming.value] : [];
  return perform(functions, task, [...first, ...args], each === true);
}

/** The result of a call. */
export function perform(functions: Functions, task: string, args: readonly unknown[], each: boolean): Ending {
  const call = functions[task];
  if (call === undefined) throw new TypeError(`nobody knows ${task}`);
  try {
    return { value: each ? args.map((list) => call(...(list as unknown[]))) : call(...args) };
  } catch (error) {
    return { failureInfo: (error as Error).message };
  }
}
