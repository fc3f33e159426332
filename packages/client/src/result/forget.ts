import type { ResultBackend } from "@bullrush/broker";
import { isGroup, type Group, type Leaf } from "./leaf.js";

/** Most results that are removed in one command. */
const mostForgotten = 1000;

/** Removes what is stored of a result, and of the steps before it: results, and what `save()` has kept of groups. */
export async function forget(last: Leaf | Group, backend: ResultBackend): Promise<void> {
  const ids = new Set<string>();
  const groups = new Set<string>();
  // A handle within a group may have steps before it as well; those of a long chain are many.
  const left: (Leaf | Group)[] = [last];
  for (let handle = left.pop(); handle !== undefined; handle = left.pop()) {
    if (isGroup(handle)) {
      if (groups.has(handle.id)) continue;
      groups.add(handle.id);
      for (const result of handle.results) left.push(result);
    } else {
      ids.add(handle.id);
    }
    if (handle.parent !== undefined) left.push(handle.parent as Leaf | Group);
  }
  const all = [...ids];
  for (let at = 0; at < all.length; at += mostForgotten) await backend.forget(all.slice(at, at + mostForgotten));
  for (const id of groups) await backend.forgetGroup(id);
}
