import type { TaskRecord } from "@bullrush/broker";
import { checkOptions } from "../options/check.js";
import type { Handle, ValuesOf } from "./handle.js";
import { awaitedBefore, awaitedOf, checkHandles, isGroup, type Group, type SingleResult } from "./single-result.js";
import { outcomeOf, type TaskOutcome } from "./outcome.js";
import { getChecks, type GetOptions, type WaitOptions } from "./wait-options.js";
import { inTask } from "./wait-in-task.js";
import { watchAll } from "./watch-all.js";

/** The outcome of each task or group. */
export type OutcomesOf<Values extends readonly unknown[]> = { -readonly [Place in keyof Values]: TaskOutcome<Values[Place]> };

/**
 * Waits for all `results` and resolves to their values, in order; a group's value is the array of
 * its members' values. Rejects as soon as one has failed or was revoked, with the error of its
 * `get()`, and with `TimeoutError`, `UnknownTaskError`, `RESULT_BACKEND_UNAVAILABLE`,
 * `INVALID_OPTION`. Any number of results costs one subscription and one timer.
 */
export function gather<const Handles extends readonly Handle[]>(
  results: Handles,
  options?: GetOptions & { readonly propagate?: true },
): Promise<ValuesOf<Handles>>;
/**
 * The outcome of each, once all have ended. A group's outcome is that of its first member that has
 * failed or was revoked, if any.
 */
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

/** The terminal records of `leaves`, in order. `onPending` is called as that of `watchAll`. */
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

/** @param records those of the awaited results, which are consumed in order */
export function valuesOf(handles: readonly (SingleResult | Group)[], records: Iterator<TaskRecord, undefined>): readonly unknown[] {
  return handles.map((handle) => {
    if (!isGroup(handle)) return records.next().value?.result;
    const values = valuesOf(handle.results, records);
    for (const _ of awaitedBefore(handle)) records.next();
    return values;
  });
}

/** @param records those of the awaited results of all `handles` */
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
