import { isAmong, resultNode } from "./edit.js";
import { isEmpty, type CanvasNode } from "./node.js";

/** Calls with numbers in a row. The last is known once all of them are planned. */
export interface Range {
  first: number;
  last: number;
}

/** Error links of a canvas, and the calls of whose failures they are told. */
export interface Watch {
  readonly links: readonly CanvasNode[];
  readonly range: Range;
}

/** Those of `links` that are not among `others`. */
export function unlike(links: readonly CanvasNode[], others: readonly CanvasNode[]): readonly CanvasNode[] {
  return links.length === 0 || others.length === 0 ? links : links.filter((link) => !isAmong(others, link));
}

/**
 * The steps of a chain at which its error links stand, the last first: whatever fails passes one of them, and no more. The last step hears of those before it as well if
 * it ends in one call; a group has each of its members hear, so that what fails before it must have been told before.
 */
export function carriersOf(steps: readonly CanvasNode[]): readonly number[] {
  const carriers: number[] = [];
  let index = steps.length - 1;
  while (index >= 0) {
    const step = steps[index] as CanvasNode;
    if (isEmpty(step)) {
      index--;
      continue;
    }
    carriers.push(index--);
    if (!endsInGroup(step)) break;
    // When a group fails, the step behind it is the one that fails.
    while (index >= 0 && endsInGroup(steps[index] as CanvasNode)) index--;
  }
  return carriers;
}

function endsInGroup(node: CanvasNode): boolean {
  return resultNode(node).type === "group";
}
