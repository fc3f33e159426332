import { setTimeout as pause } from "node:timers/promises";
import { callId, copyId, isTerminal, replacementId, steadyClock, type Engine, type Results } from "@bullrush/broker";
import { isGroup, type Group, type SingleResult } from "./single-result.js";

/** Maximum number of results that one command removes. */
const maxForgotten = 1000;

/** The stores that keep traces of tasks. */
interface Places {
  readonly engine: Pick<Engine, "queues" | "results">;
  readonly options: { readonly queues: readonly string[]; readonly copyQueues: readonly string[] };
}

/**
 * Maximum wait, in ms, for the settlement of a task whose result is already stored, and the pauses
 * between two looks.
 */
const settling = { longest: 5000, first: 10, most: 250 };

/**
 * Removes what is stored of a result and of the steps before it: results, groups of `save()`,
 * finished jobs and dead letters. Of a task that has not ended it removes what is stored so far.
 */
export async function forget(last: SingleResult | Group, places: Places): Promise<void> {
  const { engine, options } = places;
  const ids = new Set<string>();
  const groups = new Set<string>();
  // A handle within a group may have steps before it too, and a long chain has many.
  const left: (SingleResult | Group)[] = [last];
  for (let handle = left.pop(); handle !== undefined; handle = left.pop()) {
    if (isGroup(handle)) {
      if (groups.has(handle.id)) continue;
      groups.add(handle.id);
      for (const result of handle.results) left.push(result);
    } else {
      ids.add(handle.id);
      // A call to several queues is a message in the first of them and a copy in each other.
      for (const queue of options.copyQueues) ids.add(copyId(handle.id, queue));
    }
    if (handle.parent !== undefined) left.push(handle.parent as SingleResult | Group);
  }
  const all = [...ids];
  // A task that replaced another may have been replaced itself, so the list grows during the loop.
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

/**
 * Waits for settlements: on another server, a result may be stored before its message is settled. A
 * revoked task has its result before a worker takes it, and is not waited for.
 */
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

/** How many replacing tasks are looked for at once. */
const batchSize = 100;

/** Ids of the tasks that replaced `id`, if they have generated ids. */
async function replacementsOf(id: string, results: Results): Promise<readonly string[]> {
  const flow = replacementId(id);
  // The task with the result has the id of the flow.
  const found = [flow];
  for (let first = 0; ; first += batchSize) {
    const ids = Array.from({ length: batchSize }, (_, index) => callId(flow, first + index));
    found.push(...ids);
    if ((await results.read(ids)).every((record) => record === undefined)) return found;
  }
}
