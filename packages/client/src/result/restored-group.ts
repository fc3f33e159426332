import { BullrushError, isTaskId } from "@bullrush/broker";
import { AsyncResult } from "./async-result.js";
import { GroupResult } from "./group-result.js";
import type { ResultSource } from "./reference.js";
import type { SavedGroup, SavedResult } from "./saved-group.js";

/** The group that `text` tells of. Throws `DECODE_ERROR`. */
export function restoredGroup(source: () => ResultSource, text: string): GroupResult {
  const saved = parsed(text);
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

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isSaved(value: unknown): value is SavedResult | SavedGroup {
  if (typeof value !== "object" || value === null) return false;
  const { id, flow, results, queues, task } = value as Partial<Record<string, unknown>>;
  if (!isTaskId(id) || (flow !== undefined && !isTaskId(flow))) return false;
  if (results !== undefined) return Array.isArray(results) && results.every(isSaved);
  return (task === undefined || typeof task === "string") && Array.isArray(queues) && queues.every((queue) => typeof queue === "string");
}
