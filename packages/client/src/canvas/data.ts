import type { Json } from "@bullrush/broker";
import { isFlag, isId, isList, isName, isRecord, kindOf, refuse } from "../options/check.js";
import { checkTaskName } from "../options/task-name.js";
import { optionsData, revivedOptions, type TaskOptions } from "../options/task-options.js";
import { checkCall } from "../publishing/check-call.js";
import type { CallData, CanvasData } from "./canvas.js";
import { chainOf, maxDepth, refuseDepth, type CallNode, type CanvasNode, type GroupNode } from "./node.js";

/** A canvas as plain data. */
export function dataOf(node: CanvasNode): CanvasData {
  switch (node.type) {
    case "call":
      return callData(node);
    case "chain":
      return { type: "chain", steps: node.steps.map(dataOf), ...(node.onError.length > 0 && { onError: node.onError.map(dataOf) }) };
    case "group":
      return groupData(node);
    case "chord":
      return { type: "chord", header: groupData(node.header), body: dataOf(node.body), onFailure: node.onFailure };
  }
}

function groupData({ id, members }: GroupNode) {
  return { type: "group", ...(id !== undefined && { id }), members: members.map(dataOf) } as const;
}

function callData({ task, args, immutable, each, options, link, onError }: CallNode): CallData {
  const plainOptions = optionsData(options);
  return {
    type: "call",
    task,
    args: args as readonly Json[],
    ...(immutable && { immutable: true }),
    ...(each === true && { each: true }),
    ...(Object.keys(plainOptions).length > 0 && { options: plainOptions }),
    ...(link.length > 0 && { link: link.map(dataOf) }),
    ...(onError.length > 0 && { onError: onError.map(dataOf) }),
  };
}

/** How the tasks that the data name are declared. */
type DeclaredOf = (task: string) => TaskOptions;

/**
 * Restores a canvas from `data`. Throws `INVALID_OPTION`, naming the `place`, for other data, and
 * `INVALID_TASK_NAME`.
 * @param level how deep in the data it stands; a chord is two levels of data and one of a canvas
 */
export function nodeOf(data: unknown, declaredOf: DeclaredOf, place: string, level = 1): CanvasNode {
  if (level > 2 * maxDepth) refuseDepth();
  isRecord(data, place);
  const input = data as { readonly [field: string]: unknown };
  const nodes = (field: string): readonly CanvasNode[] => {
    isList(input[field], `${place}.${field}`);
    return (input[field] as unknown[]).map((one, index) => nodeOf(one, declaredOf, `${place}.${field}[${index}]`, level + 1));
  };
  switch (input["type"]) {
    case "call":
      return callOf(input, declaredOf, place, nodes);
    case "chain":
      return { ...chainOf(nodes("steps")), onError: input["onError"] === undefined ? [] : nodes("onError") };
    case "group":
      if (input["id"] !== undefined) isId(input["id"]);
      return { type: "group", id: input["id"] as string | undefined, members: nodes("members") };
    case "chord": {
      const header = nodeOf(input["header"], declaredOf, `${place}.header`, level + 1);
      if (header.type !== "group") refuse(`${place}.header`, `a ${header.type}`, "a group");
      const { onFailure = "fail" } = input;
      if (onFailure !== "fail" && onFailure !== "partial") refuse(`${place}.onFailure`, kindOf(onFailure), '"fail" or "partial"');
      return { type: "chord", header, body: nodeOf(input["body"], declaredOf, `${place}.body`, level + 1), onFailure };
    }
    default:
      return refuse(`${place}.type`, kindOf(input["type"]), "call, chain, group or chord");
  }
}

function callOf(
  input: { readonly [field: string]: unknown },
  declaredOf: DeclaredOf,
  place: string,
  nodes: (field: string) => readonly CanvasNode[],
): CallNode {
  const { task, args, immutable = false, each = false, options = {} } = input;
  isName(task, `${place}.task`);
  checkTaskName(task);
  isFlag(immutable, `${place}.immutable`);
  isFlag(each, `${place}.each`);
  isRecord(options, `${place}.options`);
  const revived = revivedOptions(options as Record<string, unknown>);
  checkCall(task as string, args as unknown[], revived);
  if (each === true) for (const [index, list] of (args as unknown[]).entries()) isList(list, `${place}.args[${index}]`);
  return {
    type: "call",
    task: task as string,
    args: args as unknown[],
    declared: declaredOf(task as string),
    options: revived,
    immutable: immutable as boolean,
    ...(each === true && { each }),
    link: input["link"] === undefined ? [] : nodes("link"),
    onError: input["onError"] === undefined ? [] : nodes("onError"),
  };
}
