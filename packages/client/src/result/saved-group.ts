import { isGroup, type Group, type SingleResult } from "./single-result.js";
import type { GroupResultData, ResultData } from "./result-data.js";

/** The members of `group` as JSON, without the steps before it and before its members. */
export function savedGroup(group: Group): string {
  return JSON.stringify(groupData(group, bareData));
}

/** A handle with its members, and the steps before it. */
export function resultData(handle: SingleResult | Group): ResultData {
  const parents: ResultData[] = [];
  for (let step = handle.parent; step !== undefined; step = step.parent) parents.push(stepData(step as SingleResult | Group));
  return { ...stepData(handle), ...(parents.length > 0 && { parents }) };
}

/** A handle without the steps before it. */
function stepData(handle: SingleResult | Group): ResultData {
  return isGroup(handle) ? groupData(handle, resultData) : leafData(handle);
}

function bareData(handle: SingleResult | Group): ResultData {
  return isGroup(handle) ? groupData(handle, bareData) : leafData(handle);
}

function groupData({ id, flow, isPartial, results }: Group, dataOf: (member: SingleResult | Group) => ResultData): GroupResultData {
  return { id, ...(flow !== undefined && { flow }), ...(isPartial && { isPartial }), results: results.map(dataOf) };
}

function leafData({ reference: { id, queues, elsewhere, task, ignoreResult, flow } }: SingleResult): ResultData {
  return {
    id,
    queues,
    ...(elsewhere === true && { elsewhere }),
    ...(task !== undefined && { task }),
    ...(ignoreResult === true && { ignoreResult }),
    ...(flow !== undefined && { flow }),
  };
}
