import { BullrushError, decodeJson, isTaskId } from "@bullrush/broker";
import { AsyncResult } from "./async-result.js";
import { GroupResult } from "./group-result.js";
import type { ResultSource } from "./reference.js";
import type { SavedGroup, SavedResult } from "./saved-group.js";

/** The group that `text` tells of. Throws `DECODE_ERROR`. */
export function restoredGroup(source: () => ResultSource, text: string): GroupResult {
  const saved = decodeJson(text, "the stored group");
  if (isSaved(saved) && "results" in saved) return groupOf(source, saved);
  throw new BullrushError("DECODE_ERROR", { what: "the stored group", reason: "it is none" });
}

function groupOf(source: () => ResultSource, { id, flow, results }: SavedGroup): GroupResult {
  const members = results.map((saved): AsyncResult | GroupResult => {
    if ("results" in saved) return groupOf(source, saved);
    const { id, queues, task, ignoreResult = false, flow } = saved;
    return new AsyncResult(source, {
      id,
      queues,
      own: false,
      ignoreResult,
      ...(task !== undefined && { task }),
      ...(flow !== undefined && { flow }),
    });
  });
  return new GroupResult(source, { id, results: members, ...(flow !== undefined && { flow }) });
}

/** How deep groups may lie in each other. */
const deepest = 500;

function isSaved(value: unknown, depth = 0): value is SavedResult | SavedGroup {
  if (typeof value !== "object" || value === null || depth > deepest) return false;
  const { id, flow, results, queues, task, ignoreResult } = value as Partial<Record<string, unknown>>;
  if (!isTaskId(id) || (flow !== undefined && !isTaskId(flow))) return false;
  if (results !== undefined) return Array.isArray(results) && results.every((one) => isSaved(one, depth + 1));
  const isKnown = (task === undefined || typeof task === "string") && (ignoreResult === undefined || typeof ignoreResult === "boolean");
  return isKnown && Array.isArray(queues) && queues.every((queue) => typeof queue === "string");
}
