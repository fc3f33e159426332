import { setTimeout as pause } from "node:timers/promises";
import { callId, copyId, isTerminal, replacementId, steadyClock, type Engine, type Results } from "@bullrush/broker";
import { isGroup, type Group, type SingleResult } from "./single-result.js";

/** Most results that are removed in one command. */
const maxForgotten = 1000;

/** Where traces of tasks are. */
interface Places {
  readonly engine: Pick<Engine, "queues" | "results">;
  readonly options: { readonly queues: readonly string[]; readonly copyQueues: readonly string[] };
}

/** Longest wait, in ms, for the settlement of a task whose result is there already, and the pauses between two looks. */
const settling = { longest: 5000, first: 10, most: 250 };

/**
 * Removes what is stored of a result, and of the steps before it: results, what `save()` has kept of groups, finished jobs and dead letters. Of a task that has not ended only what is
 * stored so far.
 */
export async function forget(last: SingleResult | Group, places: Places): Promise<void> {
  const { engine, options } = places;
  const ids = new Set<string>();
  const groups = new Set<string>();
  // A handle within a group may have steps before it as well; those of a long chain are many.
  const left: (SingleResult | Group)[] = [last];
  for (let handle = left.pop(); handle !== undefined; handle = left.pop()) {
    if (isGroup(handle)) {
      if (groups.has(handle.id)) continue;
      groups.add(handle.id);
      for (const result of handle.results) left.push(result);
    } else {
      ids.add(handle.id);
      // What went to several queues is a message in the first of them, and a copy in each other.
      for (const queue of options.copyQueues) ids.add(copyId(handle.id, queue));
    }
    if (handle.parent !== undefined) left.push(handle.parent as SingleResult | Group);
  }
  const all = [...ids];
  // What ran in the place of a task may have been replaced itself: the list grows on the way.
  for (let at = 0; at < all.length;) {
    const some = all.slice(at, at + maxForgotten);
    at += some.length;
    const replaced = await engine.results.read(some.map(replacementId));
    for (const [index, record] of replaced.entries()) {
      if (record !== undefined) all.push(...(await replacementsOf(some[index] as string, engine.results)));
    }
    await forgetMessages(some, places);
    await engine.results.forget(some);
  }
  for (const id of groups) await engine.results.forgetGroup(id);
}

/** A result that is on another server than its message may be there before the message is settled. One that was revoked has its result before a worker comes to it, and is not waited for. */
async function forgetMessages(ids: readonly string[], { engine, options }: Places): Promise<void> {
  const end = steadyClock.now() + settling.longest;
  let left = ids;
  for (let wait = settling.first; ; wait = Math.min(wait * 2, settling.most)) {
    const replies = await engine.queues.forget(left, options.queues);
    const running = new Set(left.filter((_, index) => replies[index] === "running"));
    const unfinished = left.filter((_, index) => replies[index] !== "gone");
    const records = await engine.results.read(unfinished);
    left = unfinished.filter((id, index) => {
      const state = records[index]?.state;
      return state !== undefined && isTerminal(state) && (state !== "REVOKED" || running.has(id));
    });
    if (left.length === 0 || steadyClock.now() >= end) return;
    await pause(wait);
  }
}

/** How many tasks are looked for at once that run in the place of another. */
const sought = 100;

/** Ids of the tasks that ran in the place of `id`, as far as they have the ids that they get by themselves. */
async function replacementsOf(id: string, results: Results): Promise<readonly string[]> {
  const flow = replacementId(id);
  // The one with the result has the id of the flow.
  const found = [flow];
  for (let first = 0; ; first += sought) {
    const ids = Array.from({ length: sought }, (_, index) => callId(flow, first + index));
    found.push(...ids);
    if ((await results.read(ids)).every((record) => record === undefined)) return found;
  }
}
