import { isGroup, type Group, type Leaf } from "./leaf.js";

/** A group as it is stored, in JSON. */
export interface SavedGroup {
  readonly id: string;
  readonly results: readonly (SavedResult | SavedGroup)[];
  readonly flow?: string | undefined;
}

export interface SavedResult {
  readonly id: string;
  readonly queues: readonly string[];
  readonly task?: string | undefined;
  readonly ignoreResult?: boolean | undefined;
  readonly flow?: string | undefined;
}

/** What `group` consists of, as JSON. */
export function savedGroup(group: Group): string {
  return JSON.stringify(savedOf(group));
}

function savedOf(handle: Leaf | Group): SavedResult | SavedGroup {
  if (isGroup(handle)) return { id: handle.id, flow: handle.flow, results: handle.results.map(savedOf) };
  const { id, queues, task, ignoreResult, flow } = handle.reference;
  return { id, queues, task, ignoreResult, flow };
}
