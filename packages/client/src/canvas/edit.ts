import { isDeepStrictEqual } from "node:util";
import { checkTaskId, type Json } from "@bullrush/broker";
import { isRecord, refuse } from "../options/check.js";
import type { CallSettings } from "../options/task-options.js";
import { linksOf, type Content } from "./content.js";
import { isEmpty, type CallNode, type CanvasNode } from "./node.js";

/** Whether a call is among those that begin a canvas, and among those that end it. */
interface Standing {
  readonly first: boolean;
  readonly last: boolean;
}

/** The changes to the parts of a canvas. */
interface Change {
  readonly call: (call: CallNode, standing: Standing) => CallNode;
  /** The change to the error links of chains. Default: none. */
  readonly links?: (links: readonly CanvasNode[]) => readonly CanvasNode[];
}

/**
 * Returns the canvas with these options, which win over its own. `taskId` becomes the id of its
 * result; `countdown` and `eta` apply to its first calls; `link` and `linkError` are added, as by
 * `withLinks`; all others apply to all its calls. Throws `INVALID_OPTION` for a value that is not
 * an object, and for links that are not canvases, or of another app.
 */
export function withOptions<Node extends CanvasNode>({ node, send }: Pick<Content<Node>, "node" | "send">, given: CallSettings): Node {
  isRecord(given, "what was given for the options of a canvas");
  const { taskId, countdown, eta, link, linkError, ...all } = given;
  const beginning = { ...all, ...("countdown" in given && { countdown }), ...("eta" in given && { eta }) } as CallSettings;
  const next = link === undefined ? [] : linksOf(link, '"link"', send);
  const onError = linkError === undefined ? [] : linksOf(linkError, '"linkError"', send);
  const call = (one: CallNode, { first }: Standing) => ({ ...one, options: { ...one.options, ...(first ? beginning : all) } });
  const changed = withLinks(withLinks(edit(node, { call }), "link", next), "onError", onError);
  return taskId === undefined ? changed : withId(changed, taskId);
}

/**
 * Returns the canvas with further links; a link that is there already is not added again. `link`
 * goes to the calls that end it, in a group to each member. `onError` goes to all steps of a chain,
 * to each member of a group, and to the body of a chord, or to its header if the body is an empty
 * group.
 */
export function withLinks<Node extends CanvasNode>(node: Node, kind: "link" | "onError", links: readonly CanvasNode[]): Node {
  if (links.length === 0) return node;
  if (kind === "onError") return withErrorLinks(node, links);
  return edit(node, { call: (call, { last }) => (last ? { ...call, link: joined(call.link, links) } : call) });
}

function withErrorLinks<Node extends CanvasNode>(node: Node, links: readonly CanvasNode[]): Node;
function withErrorLinks(node: CanvasNode, links: readonly CanvasNode[]): CanvasNode {
  switch (node.type) {
    case "call":
    case "chain":
      return { ...node, onError: joined(node.onError, links) };
    case "group":
      return { ...node, members: node.members.map((member) => withErrorLinks(member, links)) };
    case "chord":
      return isEmpty(node.body)
        ? { ...node, header: withErrorLinks(node.header, links) }
        : { ...node, body: withErrorLinks(node.body, links) };
  }
}

/** All of `links`, and those of `further` that are not among them. */
function joined(links: readonly CanvasNode[], further: readonly CanvasNode[]): readonly CanvasNode[] {
  const all = [...links];
  for (const link of further) if (!isAmong(all, link)) all.push(link);
  return all;
}

/** Whether one of `links` equals `link`. */
export function isAmong(links: readonly CanvasNode[], link: CanvasNode): boolean {
  return links.some((one) => one === link || isDeepStrictEqual(one, link));
}

/**
 * Returns the canvas with these headers in all its calls, those of its links included. They win
 * over existing headers.
 */
export function withHeaders<Node extends CanvasNode>(node: Node, headers: Readonly<Record<string, Json>>): Node {
  const links = (all: readonly CanvasNode[]) => all.map((link) => withHeaders(link, headers));
  const call = (one: CallNode) => ({
    ...one,
    options: { ...one.options, headers: { ...one.options.headers, ...headers } },
    link: links(one.link),
    onError: links(one.onError),
  });
  return edit(node, { call, links });
}

/**
 * Returns the canvas with these values in front of the arguments of its first calls, unless they
 * are immutable.
 */
export function withFirst<Node extends CanvasNode>(node: Node, values: readonly unknown[]): Node {
  if (values.length === 0) return node;
  return edit(node, { call: (call, { first }) => (first && !call.immutable ? { ...call, args: [...values, ...call.args] } : call) });
}

/**
 * The part that gives a canvas its result: the last step of a chain, the body of a chord. Throws
 * `INVALID_OPTION` for a chain without steps.
 */
export function resultNode(node: CanvasNode): Exclude<CanvasNode, { type: "chain" | "chord" }> {
  let last = node;
  while (last.type === "chain" || last.type === "chord") {
    last = last.type === "chord" ? last.body : (last.steps.at(-1) ?? refuse("a chain", "empty", "at least one step"));
  }
  return last;
}

/** The id that the caller chose for the result of a canvas, if any. Throws `INVALID_TASK_ID`. */
export function givenId(node: CanvasNode): string | undefined {
  const result = resultNode(node);
  const id = result.type === "call" ? result.options.taskId : result.id;
  return id === undefined ? undefined : checkTaskId(id);
}

function withId<Node extends CanvasNode>(node: Node, id: string): Node;
function withId(node: CanvasNode, id: string): CanvasNode {
  switch (node.type) {
    case "call":
      return { ...node, options: { ...node.options, taskId: id } };
    case "group":
      return { ...node, id };
    case "chain":
      return { ...node, steps: node.steps.map((step, index) => (index === node.steps.length - 1 ? withId(step, id) : step)) };
    case "chord":
      return { ...node, body: withId(node.body, id) };
  }
}

function edit<Node extends CanvasNode>(node: Node, change: Change, standing?: Standing): Node;
function edit(node: CanvasNode, change: Change, standing: Standing = { first: true, last: true }): CanvasNode {
  const { first, last } = standing;
  switch (node.type) {
    case "call":
      return change.call(node, standing);
    case "group":
      return { ...node, members: node.members.map((member) => edit(member, change, standing)) };
    case "chain": {
      const end = node.steps.length - 1;
      const steps = node.steps.map((step, index) => edit(step, change, { first: first && index === 0, last: last && index === end }));
      return { ...node, steps, onError: change.links?.(node.onError) ?? node.onError };
    }
    case "chord":
      return {
        ...node,
        header: edit(node.header, change, { first, last: false }),
        body: edit(node.body, change, { first: false, last }),
      };
  }
}
