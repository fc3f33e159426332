import type { TaskRecord } from "@bullrush/broker";
import { checkOptions } from "../options/check.js";
import type { Handle, ValuesOf } from "./handle.js";
import { awaitedBefore, awaitedOf, checkHandles, isGroup, type Group, type SingleResult } from "./single-result.js";
import { outcomeOf, type TaskOutcome } from "./outcome.js";
import { getChecks, type GetOptions, type WaitOptions } from "./wait-options.js";
import { inTask } from "./wait-in-task.js";
import { watchAll } from "./watch-all.js";

/** How each of the tasks, or the group, ended. */
export type OutcomesOf<Values extends readonly unknown[]> = { -readonly [Place in keyof Values]: TaskOutcome<Values[Place]> };

/**
 * The values of all `results`, in their order, once all have ended; of a group, the array of its members' values. Rejects as soon as one has failed or was revoked,
 * with what its `get()` throws, and with `TimeoutError`, `UnknownTaskError`, `RESULT_BACKEND_UNAVAILABLE`, `INVALID_OPTION`. However many they are, it costs one subscription and one timer.
 */
export function gather<const Handles extends readonly Handle[]>(
  results: Handles,
  options?: GetOptions & { readonly propagate?: true },
): Promise<ValuesOf<Handles>>;
/** How each has ended, once all have: a group as its first member that has failed or was revoked, if any. */
export function gather<const Handles extends readonly Handle[]>(
  results: Handles,
  options: GetOptions & { readonly propagate: false },
): Promise<OutcomesOf<ValuesOf<Handles>>>;
export async function gather(results: readonly Handle[], options: GetOptions = {}): Promise<readonly unknown[]> {
  checkOptions(options, getChecks, "of gather()");
  const handles = checkHandles(results, "gather()");
  const { propagate = true } = options;
  const leaves = awaitedOf(handles);
  const records = await inTask(leaves, (onPending) => recordsOf(leaves, options, propagate, onPending));
  return propagate ? valuesOf(handles, records.values()) : outcomesOf(handles, records);
}

/** The terminal records of `leaves`, in their order. `onPending` is called as that of `watchAll`. */
export function recordsOf(
  leaves: readonly SingleResult[],
  options: WaitOptions,
  propagate: boolean,
  onPending?: () => void,
): Promise<readonly TaskRecord[]> {
  return new Promise((resolve, reject) => {
    const records: TaskRecord[] = [];
    let left = leaves.length;
    if (left === 0) resolve(records);
    const stop = watchAll(leaves, options, {
      onEnd: ({ index, record, unknown }) => {
        const error = unknown ?? (propagate ? leaves[index]?.errorOf(record) : undefined);
        if (error !== undefined) {
          stop();
          reject(error);
        } else if (record !== undefined) {
          records[index] = record;
          if (--left === 0) resolve(records);
        }
      },
      onError: reject,
      onPending,
    });
  });
}

/** @param records those of what is awaited, from which the values are taken one by one */
export function valuesOf(handles: readonly (SingleResult | Group)[], records: Iterator<TaskRecord, undefined>): readonly unknown[] {
  return handles.map((handle) => {
    if (!isGroup(handle)) return records.next().value?.result;
    const values = valuesOf(handle.results, records);
    for (const _ of awaitedBefore(handle)) records.next();
    return values;
  });
}

/** @param records those of what is awaited of all `handles` */
export function outcomesOf(handles: readonly (SingleResult | Group)[], records: readonly TaskRecord[]): readonly TaskOutcome<unknown>[] {
  let at = 0;
  return handles.map((handle) => {
    const own = records.slice(at, (at += awaitedOf([handle]).length));
    const first = own.find(({ state }) => state !== "SUCCESS") ?? (isGroup(handle) ? undefined : own[0]);
    return first === undefined
      ? { state: "SUCCESS", result: valuesOf(isGroup(handle) ? handle.results : [], own.values()) }
      : outcomeOf(first);
  });
}
