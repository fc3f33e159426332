import { BullrushError, decodeJson, isTaskId } from "@bullrush/broker";
import { AsyncResult } from "./async-result.js";
import { GroupResult } from "./group-result.js";
import type { ResultSource } from "./reference.js";
import type { ResultData } from "./result-data.js";

/** Restores the group of `text`. Throws `DECODE_ERROR`. */
export function restoredGroup(source: () => ResultSource, text: string): GroupResult {
  const restored = restoredResult(source, decodeJson(text, "the stored group"), "the stored group");
  if (restored instanceof GroupResult) return restored;
  throw new BullrushError("DECODE_ERROR", { what: "the stored group", reason: "it is none" });
}

/**
 * Restores the handle of `data`, which may come from anywhere. Throws `DECODE_ERROR`.
 * @param what the name of the data in errors
 */
export function restoredResult(source: () => ResultSource, data: unknown, what: string): AsyncResult | GroupResult {
  if (isResultData(data)) return handleOf(source, data);
  throw new BullrushError("DECODE_ERROR", { what, reason: "it is not what toJSON() of a result gives" });
}

function handleOf(source: () => ResultSource, data: ResultData): AsyncResult | GroupResult {
  let parent: AsyncResult | GroupResult | undefined;
  for (const step of (data.parents ?? []).toReversed()) parent = stepOf(source, step, parent);
  return stepOf(source, data, parent);
}

function stepOf(source: () => ResultSource, data: ResultData, parent: AsyncResult | GroupResult | undefined): AsyncResult | GroupResult {
  const { id, flow } = data;
  const around = { ...(parent !== undefined && { parent }), ...(flow !== undefined && { flow }) };
  if ("results" in data) {
    const { results, isPartial = false } = data;
    return new GroupResult(source, { id, results: results.map((member) => handleOf(source, member)), isPartial, ...around });
  }
  const { queues, elsewhere = false, task, ignoreResult = false } = data;
  return new AsyncResult(source, { id, queues, elsewhere, own: false, ignoreResult, ...(task !== undefined && { task }), ...around });
}

/** Maximum depth of nested groups. */
const maxDepth = 500;

function isResultData(value: unknown, depth = 0): value is ResultData {
  if (typeof value !== "object" || value === null || depth > maxDepth) return false;
  const { id, flow, results, queues, elsewhere, task, ignoreResult, isPartial, parents } = value as Partial<Record<string, unknown>>;
  if (!isTaskId(id) || (flow !== undefined && !isTaskId(flow))) return false;
  if (parents !== undefined && !isListOfData(parents, depth)) return false;
  if (results !== undefined) return isFlagOrAbsent(isPartial) && isListOfData(results, depth);
  const isKnown = (task === undefined || typeof task === "string") && isFlagOrAbsent(ignoreResult) && isFlagOrAbsent(elsewhere);
  return isKnown && Array.isArray(queues) && queues.every((queue) => typeof queue === "string");
}

function isListOfData(value: unknown, depth: number): boolean {
  return Array.isArray(value) && value.every((one) => isResultData(one, depth + 1));
}

function isFlagOrAbsent(value: unknown): boolean {
  return value === undefined || typeof value === "boolean";
}
