import type { Json } from "@bullrush/broker";
import { isRecord } from "../task/check.js";
import type { CallOptions } from "../task/options.js";
import { linksOf, type Content } from "./content.js";
import type { CallNode, CanvasNode } from "./node.js";

/** Where a call stands in a canvas: among those that begin it, and among those that end it. */
interface Standing {
  readonly first: boolean;
  readonly last: boolean;
  /** Whether the canvas fails when it does: as `last`, but that a group of none fails of what is before it. */
  readonly decisive: boolean;
}

type Change = (call: CallNode, standing: Standing) => CallNode;

/**
 * The canvas with these options, which win over those that it has. `taskId` becomes the id of its result; `countdown` and `eta` are for
 * what begins it; `link` and `linkError` are for what ends it, each member of a group, as `withLinks` has it; all others are for all its
 * calls. Throws `INVALID_OPTION` for what is no object, and for links that are no canvases, or another app's.
 */
export function withOptions<Node extends CanvasNode>({ node, send }: Pick<Content<Node>, "node" | "send">, given: CallOptions): Node {
  isRecord(given, "what was given for the options of a canvas");
  const { taskId, countdown, eta, link, linkError, ...all } = given;
  const beginning = { ...all, ...("countdown" in given && { countdown }), ...("eta" in given && { eta }) } as CallOptions;
  const next = link === undefined ? {} : { link: linksOf(link, '"link"', send) };
  const instead = linkError === undefined ? {} : { onError: linksOf(linkError, '"linkError"', send) };
  const changed = edit(node, (call, { first, last, decisive }) => ({
    ...call,
    options: { ...call.options, ...(first ? beginning : all) },
    ...(last && next),
    ...(decisive && instead),
  }));
  return taskId === undefined ? changed : withId(changed, taskId);
}

/**
 * The canvas with further links behind what ends it. Where that is a group of none there is no result of a member to link; what can fail is
 * what is before it.
 */
export function withLinks<Node extends CanvasNode>(node: Node, kind: "link" | "onError", links: readonly CanvasNode[]): Node {
  const standing = kind === "link" ? "last" : "decisive";
  return edit(node, (call, standings) => (standings[standing] ? { ...call, [kind]: [...call[kind], ...links] } : call));
}

/** The canvas with these headers in all its calls, those of its links included; they win over those that are there. */
export function withHeaders<Node extends CanvasNode>(node: Node, headers: Readonly<Record<string, Json>>): Node {
  return edit(node, (call) => ({
    ...call,
    options: { ...call.options, headers: { ...call.options.headers, ...headers } },
    link: call.link.map((link) => withHeaders(link, headers)),
    onError: call.onError.map((link) => withHeaders(link, headers)),
  }));
}

/** The canvas with these values in front of the arguments of what begins it, where that takes any. */
export function withFirst<Node extends CanvasNode>(node: Node, values: readonly unknown[]): Node {
  if (values.length === 0) return node;
  return edit(node, (call, { first }) => (first && !call.immutable ? { ...call, args: [...values, ...call.args] } : call));
}

/** What gives a canvas its result: the last step of a chain, the body of a chord. */
export function resultNode(node: CanvasNode): Exclude<CanvasNode, { type: "chain" | "chord" }> {
  let last = node;
  while (last.type === "chain" || last.type === "chord") last = last.type === "chord" ? last.body : (last.steps.at(-1) as CanvasNode);
  return last;
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
function edit(node: CanvasNode, change: Change, standing: Standing = { first: true, last: true, decisive: true }): CanvasNode {
  const { first, last, decisive } = standing;
  switch (node.type) {
    case "call":
      return change(node, standing);
    case "group":
      return { ...node, members: node.members.map((member) => edit(member, change, standing)) };
    case "chain": {
      const end = node.steps.length - 1;
      const decisiveEnd = node.steps.findLastIndex((step) => !isEmpty(step));
      const steps = node.steps.map((step, index) =>
        edit(step, change, { first: first && index === 0, last: last && index === end, decisive: decisive && index === decisiveEnd }),
      );
      return { ...node, steps };
    }
    case "chord":
      return {
        ...node,
        header: edit(node.header, change, { first, last: false, decisive: decisive && isEmpty(node.body) }),
        body: edit(node.body, change, { first: false, last, decisive }),
      };
  }
}

/** Whether a canvas has no calls. */
function isEmpty(node: CanvasNode): boolean {
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
