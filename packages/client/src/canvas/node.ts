import type { AsyncResult } from "../result/async-result.js";
import type { GroupResult } from "../result/group-result.js";
import type { Call } from "../publishing/call.js";
import { refuse } from "../options/check.js";
import type { OnFailure } from "./canvas.js";

/** A canvas as an immutable tree. */
export type CanvasNode = CallNode | ChainNode | GroupNode | ChordNode;

/** A call. Its options contain no links. */
export interface CallNode extends Call {
  readonly type: "call";
  /** Whether it takes nothing from the step before. */
  readonly immutable: boolean;
  /** The queue that it goes to, instead of the router's choice. */
  readonly straightTo?: string;
  readonly link: readonly CanvasNode[];
  readonly onError: readonly CanvasNode[];
}

/**
 * Steps that run one after the other. A step is a chain only if it has error links of its own. A
 * chain without steps cannot be sent.
 */
export interface ChainNode {
  readonly type: "chain";
  readonly steps: readonly CanvasNode[];
  /** Error links, which get the failure of a step. */
  readonly onError: readonly CanvasNode[];
}

/** Members that run at the same time. */
export interface GroupNode {
  readonly type: "group";
  readonly id?: string | undefined;
  readonly members: readonly CanvasNode[];
}

/** A group, and a body that gets the members' results as an array. */
export interface ChordNode {
  readonly type: "chord";
  readonly header: GroupNode;
  readonly body: CanvasNode;
  readonly onFailure: OnFailure;
}

/** The handle on the result of a canvas: a group's handle if the canvas ends with a group. */
export type AnyHandle = AsyncResult | GroupResult;

/** Sends a canvas. */
export type Send = (node: CanvasNode) => Promise<AnyHandle>;

/** Maximum number of levels of a canvas; functions that walk one recurse at each level. */
export const maxDepth = 500;

/** How many levels a canvas has; no more than `maxDepth + 1` are counted. */
export function depthOf(node: CanvasNode): number {
  let deep = 0;
  const left: [node: CanvasNode, depth: number][] = [[node, 1]];
  for (let next = left.pop(); next !== undefined && deep <= maxDepth; next = left.pop()) {
    const [one, depth] = next;
    deep = Math.max(deep, depth);
    for (const part of partsOf(one)) left.push([part, depth + 1]);
  }
  return deep;
}

/** The `INVALID_OPTION` for a canvas with too many levels. */
export function refuseDepth(): never {
  refuse("a canvas", `nested deeper than ${maxDepth} levels`, "less; a chain may have any number of steps");
}

function partsOf(node: CanvasNode): readonly CanvasNode[] {
  switch (node.type) {
    case "call":
      return node.link.length === 0 ? node.onError : [...node.link, ...node.onError];
    case "chain":
      return node.onError.length === 0 ? node.steps : [...node.steps, ...node.onError];
    case "group":
      return node.members;
    case "chord":
      return [...node.header.members, node.body];
  }
}

/**
 * Whether a part of a chain dissolves into its steps, as all chains do unless they have error links
 * that the steps around them do not have.
 */
export function isDissolved(node: CanvasNode): node is ChainNode {
  return node.type === "chain" && (node.onError.length === 0 || node.steps.length === 0);
}

/** A chain of these steps, with chains among them dissolved into their steps. */
export function chainOf(nodes: readonly CanvasNode[]): ChainNode {
  const [first, ...others] = nodes.map((node) => (isDissolved(node) ? node.steps : [node]));
  // A chain may be built step by step, so its steps are copied at once.
  const steps = first?.slice() ?? [];
  for (const further of others) for (const step of further) steps.push(step);
  return { type: "chain", steps, onError: [] };
}

/** Whether a canvas has no calls. */
export function isEmpty(node: CanvasNode): boolean {
  switch (node.type) {
    case "call":
      return false;
    case "chain":
      return node.steps.every(isEmpty);
    case "group":
      return node.members.every(isEmpty);
    case "chord":
      return isEmpty(node.body) && isEmpty(node.header);
  }
}

/** A call of the built-in task that returns the value that it gets. */
export function collectIn(queue: string): CallNode {
  return {
    type: "call",
    task: "bullrush.collect",
    args: [],
    declared: {},
    options: {},
    immutable: false,
    straightTo: queue,
    link: [],
    onError: [],
  };
}
