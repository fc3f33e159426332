import type { AsyncResult } from "../result/async-result.js";
import type { GroupResult } from "../result/group-result.js";
import type { Call } from "../task/call.js";
import { kindOf, refuse } from "../task/check.js";
import { mark, type OnFailure } from "./canvas.js";

/** What a canvas is made of: a tree that never changes. */
export type CanvasNode = CallNode | ChainNode | GroupNode | ChordNode;

/** A call. Its options are without links. */
export interface CallNode extends Call {
  readonly type: "call";
  /** Takes nothing from the step before. */
  readonly immutable: boolean;
  readonly link: readonly CanvasNode[];
  readonly onError: readonly CanvasNode[];
}

/** One after the other. At least one step, none of which is a chain. */
export interface ChainNode {
  readonly type: "chain";
  readonly steps: readonly CanvasNode[];
}

/** At the same time. */
export interface GroupNode {
  readonly type: "group";
  readonly id?: string | undefined;
  readonly members: readonly CanvasNode[];
}

/** A group whose values the body gets, as an array. */
export interface ChordNode {
  readonly type: "chord";
  readonly header: GroupNode;
  readonly body: CanvasNode;
  readonly onFailure: OnFailure;
}

/** The handle on what comes of a canvas: of a group when that is how it ends. */
export type AnyHandle = AsyncResult | GroupResult;

/** Sends a canvas, at once. */
export type Send = (node: CanvasNode) => Promise<AnyHandle>;

/** What a canvas object holds. */
export interface Content<Node extends CanvasNode = CanvasNode> {
  readonly node: Node;
  /** Absent for a canvas without calls. */
  readonly send: Send | undefined;
}

/** What `canvas` holds. Throws `INVALID_OPTION`, naming its `place`, for what is no canvas. */
export function contentOf(canvas: unknown, place: string): Content {
  const isCanvas = typeof canvas === "object" && canvas !== null && mark in canvas;
  if (!isCanvas) refuse(place, kindOf(canvas), "a canvas: task.s(...), chain(...), group(...), …");
  return canvas[mark] as Content;
}

/** The nodes of one canvas or a list of them. Throws `INVALID_OPTION` as `contentOf` does. */
export function nodesOf(given: unknown, place: string): readonly CanvasNode[] {
  return (Array.isArray(given) ? (given as unknown[]) : [given]).map((canvas) => contentOf(canvas, place).node);
}

/** Most levels of a canvas: what walks through one calls itself at each. */
const deepest = 500;

/** Throws `INVALID_OPTION` for a canvas that is nested too deep. */
export function checkDepth(node: CanvasNode): void {
  const left: [node: CanvasNode, depth: number][] = [[node, 1]];
  for (let next = left.pop(); next !== undefined; next = left.pop()) {
    const [one, depth] = next;
    if (depth > deepest) refuse("a canvas", `nested deeper than ${deepest} levels`, "less; a chain may have any number of steps");
    for (const part of partsOf(one)) left.push([part, depth + 1]);
  }
}

function partsOf(node: CanvasNode): readonly CanvasNode[] {
  switch (node.type) {
    case "call":
      return node.link.length === 0 ? node.onError : [...node.link, ...node.onError];
    case "chain":
      return node.steps;
    case "group":
      return node.members;
    case "chord":
      return [...node.header.members, node.body];
  }
}

/** A chain of these, of which those that are chains have become their steps. */
export function chainOf(nodes: readonly CanvasNode[]): ChainNode {
  return { type: "chain", steps: nodes.flatMap((node) => (node.type === "chain" ? node.steps : [node])) };
}

/** What each of a list of canvases holds. Throws `INVALID_OPTION`, naming the place in `where`, for what is no canvas. */
export function contentsOf(canvases: readonly unknown[], where: string): readonly Content[] {
  return canvases.map((canvas, index) => contentOf(canvas, `item ${index + 1} of ${where}`));
}

/** What sends a canvas that is made of these. */
export function senderOf(contents: readonly Content[]): Send | undefined {
  return contents.find(({ send }) => send !== undefined)?.send;
}

/** A call of the task that workers have built in: its result is the value that comes to it. */
export function collectIn(queue: string): CallNode {
  return { type: "call", task: "bullrush.collect", args: [], declared: {}, options: { queue }, immutable: false, link: [], onError: [] };
}
