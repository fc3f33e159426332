import type { GroupData } from "../../src/canvas/canvas.js";
import type { CanvasData } from "../../src/index.js";

/** What tasks do, by their names. */
export type Functions = Readonly<Record<string, (...args: readonly unknown[]) => unknown>>;

/** How something comes out. */
export type Ending = { readonly value: unknown } | { readonly mishap: string };

/** What comes to a part of a canvas: nothing at its beginning. */
type Coming = Ending | { readonly starts: true };

/** The value that a canvas has to come to, worked out here and now, with its links. Throws what has failed first, in the order of the canvas. */
export function evaluate(canvas: CanvasData, functions: Functions): unknown {
  const ending = endingOf(canvas, { starts: true }, functions);
  if ("mishap" in ending) throw new Error(ending.mishap);
  return ending.value;
}

/** What fails before a group, the group fails of, whatever becomes of its members. */
function endingOf(canvas: CanvasData, coming: Coming, functions: Functions): Ending {
  switch (canvas.type) {
    case "call": {
      const { link = [], onError = [] } = canvas;
      const ending = "mishap" in coming ? coming : run(canvas, coming, functions);
      for (const one of "mishap" in ending ? onError : link) endingOf(one, valueOf(ending), functions);
      return ending;
    }
    case "chain":
      return canvas.steps.reduce<Coming>((value, step) => endingOf(step, value, functions), coming) as Ending;
    case "group":
      return groupEnding(canvas, coming, functions, "fail");
    case "chord":
      return endingOf(canvas.body, groupEnding(canvas.header, coming, functions, canvas.onFailure), functions);
  }
}

function groupEnding({ members }: GroupData, coming: Coming, functions: Functions, onFailure: "fail" | "partial"): Ending {
  const endings = members.map((member) => endingOf(member, coming, functions));
  return "mishap" in coming ? coming : joined(endings, onFailure);
}

/** What comes of the endings of a group's members. */
export function joined(endings: readonly Ending[], onFailure: "fail" | "partial"): Ending {
  const mishap = endings.find((ending) => "mishap" in ending);
  if (mishap !== undefined && onFailure === "fail") return mishap;
  return { value: endings.map((ending) => ("value" in ending ? ending.value : null)) };
}

function valueOf(ending: Ending): Ending {
  return "mishap" in ending ? { value: ending.mishap } : ending;
}

function run({ task, args, immutable, each }: Extract<CanvasData, { type: "call" }>, coming: Coming, functions: Functions): Ending {
  const first = "value" in coming && immutable !== true ? [coming.value] : [];
  return perform(functions, task, [...first, ...args], each === true);
}

/** What a call comes to. */
export function perform(functions: Functions, task: string, args: readonly unknown[], each: boolean): Ending {
  const call = functions[task];
  if (call === undefined) throw new TypeError(`nobody knows ${task}`);
  try {
    return { value: each ? args.map((list) => call(...(list as unknown[]))) : call(...args) };
  } catch (error) {
    return { mishap: (error as Error).message };
  }
}
