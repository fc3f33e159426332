import { isAmong, resultNode } from "./edit.js";
import { isEmpty, type CanvasNode } from "./node.js";

/** Consecutive calls. The last is known when all of them are planned. */
export interface Range {
  first: number;
  last: number;
}

/** Error links of a canvas, and the calls whose failures notify them. */
export interface Watch {
  readonly links: readonly CanvasNode[];
  readonly range: Range;
}

/** Those of `links` that are not among `others`. */
export function unlike(links: readonly CanvasNode[], others: readonly CanvasNode[]): readonly CanvasNode[] {
  return links.length === 0 || others.length === 0 ? links : links.filter((link) => !isAmong(others, link));
}

/**
 * The steps of a chain that carry its error links, the last first. Every failure passes exactly one
 * of them. If the last step ends in one call, it also covers the steps before it. A group notifies
 * once for each member, so failures before it are notified elsewhere.
 */
export function carryingSteps(steps: readonly CanvasNode[]): readonly number[] {
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
    // When a group fails, the step after it is the one that fails.
    while (index >= 0 && endsInGroup(steps[index] as CanvasNode)) index--;
  }
  return carriers;
}

function endsInGroup(node: CanvasNode): boolean {
  return resultNode(node).type === "group";
}
