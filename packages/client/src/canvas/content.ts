import { kindOf, refuse } from "../options/check.js";
import { mark } from "../options/link.js";
import { maxDepth, depthOf, refuseDepth, type CanvasNode, type GroupNode, type Send } from "./node.js";

/** The private content of a canvas object. */
export interface Content<Node extends CanvasNode = CanvasNode> {
  readonly node: Node;
  /** Different for each app. Absent for a canvas without calls. */
  readonly send: Send | undefined;
  /** How many levels the node has. */
  readonly depth: number;
}

/** The content of a canvas of this node. */
export function holding<Node extends CanvasNode>(node: Node, send: Send | undefined): Content<Node> {
  return { node, send, depth: depthOf(node) };
}

/** Throws `INVALID_OPTION` for a canvas that is nested too deeply. */
export function checkDepth({ depth }: Content): void {
  if (depth > maxDepth) refuseDepth();
}

/**
 * The content of `canvas`. Throws `INVALID_OPTION`, naming its `place`, for a value that is not a
 * canvas.
 */
export function contentOf(canvas: unknown, place: string): Content {
  const isCanvas = typeof canvas === "object" && canvas !== null && mark in canvas;
  if (!isCanvas) refuse(place, kindOf(canvas), "a canvas: task.s(...), chain(...), group(...), …");
  return canvas[mark] as Content;
}

/**
 * The content of each canvas of a list. Throws `INVALID_OPTION`, naming the place in `where`, for a
 * value that is not a canvas.
 */
export function contentsOf(canvases: readonly unknown[], where: string): readonly Content[] {
  return canvases.map((canvas, index) => contentOf(canvas, `item ${index + 1} of ${where}`));
}

/**
 * The content of a group of these. Throws `INVALID_OPTION`, naming `where`, for members of several
 * apps.
 */
export function groupOf(contents: readonly Content[], where: string): Content<GroupNode> {
  const depth = contents.reduce((deep, content) => Math.max(deep, content.depth + 1), 1);
  return { node: { type: "group", members: contents.map(({ node }) => node) }, send: senderOf(contents, where), depth };
}

/**
 * The function that sends a canvas of these parts. Throws `INVALID_OPTION`, naming `where`, for
 * parts of several apps.
 */
export function senderOf(contents: readonly Pick<Content, "send">[], where: string): Send | undefined {
  let sender: Send | undefined;
  for (const { send = sender } of contents) {
    if (sender !== undefined && send !== sender) refuse(where, "of several apps: one part belongs to another app", "made by one app");
    sender = send;
  }
  return sender;
}

/**
 * The nodes of one canvas or a list, as links of a canvas that `send` sends. Throws
 * `INVALID_OPTION`, naming their `place`, for a value that is not a canvas, or one of another app.
 */
export function linksOf(input: unknown, place: string, send: Send | undefined): readonly CanvasNode[] {
  const contents = (Array.isArray(input) ? (input as unknown[]) : [input]).map((canvas) => contentOf(canvas, place));
  senderOf([{ send }, ...contents], place);
  return contents.map(({ node }) => node);
}
