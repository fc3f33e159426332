import { newId } from "@bullrush/broker";
import { AsyncResult } from "../result/async-result.js";
import { emptyGroupId, type EmptyGroup } from "../result/empty-group.js";
import { GroupResult } from "../result/group-result.js";
import type { ResultSource } from "../result/reference.js";
import { resultNode } from "./edit.js";
import type { CanvasNode, AnyHandle } from "./node.js";
import type { Trace } from "./plan.js";

/** What handles are made with. */
export interface Held {
  readonly source: () => ResultSource;
  /** What `missed` of the waiter was before the canvas was sent. */
  readonly missed: number | undefined;
}

/**
 * The handle on what comes of a canvas, with those on the steps before it.
 * @param flow id of the flow of which it is the result
 */
export function handleOf(result: Trace, held: Held, flow?: string): AnyHandle {
  const steps: Trace[] = [];
  for (let trace: Trace | undefined = result; trace !== undefined; trace = trace.parent) steps.push(trace);
  let handle: AnyHandle | undefined;
  for (const trace of steps.toReversed()) handle = stepHandle(trace, held, handle, trace === result ? flow : undefined);
  return handle as AnyHandle;
}

function stepHandle(trace: Trace, held: Held, before: AnyHandle | undefined, flow: string | undefined): AnyHandle {
  const around = { ...(before !== undefined && { parent: before }), ...(flow !== undefined && { flow }) };
  if ("group" in trace) {
    const results = trace.members.map((member) => handleOf(member, held));
    return new GroupResult(held.source, { id: trace.group, results, isPartial: trace.isPartial, ...around });
  }
  const { id, node, queue } = trace.call;
  const ignoreResult = node.options.ignoreResult ?? node.declared.ignoreResult ?? false;
  return new AsyncResult(held.source, { id, task: node.task, queues: [queue], own: true, missed: held.missed, ignoreResult, ...around });
}

/** The handle on a canvas without calls: it is over. */
export function emptyHandle(node: CanvasNode): GroupResult {
  return emptyResult(shapeOf(node));
}

/** The handle on a group of none that no app has made. @param id its own. Default: another one */
export function emptyResult(group: EmptyGroup, id = emptyGroupId(group, newId())): GroupResult {
  return new GroupResult(undefined, { id, results: group.map((member) => emptyResult(member)) });
}

function shapeOf(node: CanvasNode): EmptyGroup {
  const result = resultNode(node);
  return result.type === "group" ? result.members.map(shapeOf) : [];
}
