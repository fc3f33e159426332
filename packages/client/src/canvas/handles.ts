import { newId } from "@bullrush/broker";
import { AsyncResult } from "../result/async-result.js";
import { emptyGroupId, type EmptyGroup } from "../result/empty-group.js";
import { GroupResult } from "../result/group-result.js";
import type { ResultSource } from "../result/reference.js";
import { resultNode } from "./edit.js";
import type { CanvasNode, AnyHandle } from "./node.js";
import type { Trace } from "./plan.js";

/** The values from which handles are made. */
export interface Held {
  readonly source: () => ResultSource;
  /** The waiter's `missed` before the canvas was sent. */
  readonly missed: number | undefined;
}

/**
 * The handle on the result of a canvas, with the handles of the steps before it.
 * @param flow id of the flow whose result it is
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

/** The handle on a canvas without calls, which has ended. */
export function emptyHandle(node: CanvasNode): GroupResult {
  return emptyResult(shapeOf(node));
}

/** The handle on an empty group that no app created. @param id its id. Default: a fresh one */
export function emptyResult(group: EmptyGroup, id = emptyGroupId(group, newId())): GroupResult {
  return new GroupResult(undefined, { id, results: group.map((member) => emptyResult(member)) });
}

function shapeOf(node: CanvasNode): EmptyGroup {
  const result = resultNode(node);
  return result.type === "group" ? result.members.map(shapeOf) : [];
}
