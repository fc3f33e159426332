import type { BullrushError, TaskRecord } from "@bullrush/broker";
import { kindOf, refuse } from "../options/check.js";
import type { TaskFailedError, TaskRevokedError, TimeoutError } from "./errors.js";
import type { Handle } from "./handle.js";
import type { Reference } from "./reference.js";
import type { Listener } from "./listener.js";

/** Marks handles, whichever copy of this package created them. */
export const mark = { single: Symbol.for("bullrush.result"), group: Symbol.for("bullrush.group-result") } as const;

/** The record of a task that ignores its result. */
export const ignored: TaskRecord = { state: "SUCCESS", delivery: 0 };

/** The handle on one result, as sets of results see it. */
export interface SingleResult extends Handle {
  readonly reference: Reference;
  /**
   * Calls `listener` with the end of the task, until the returned function is called. Never throws.
   */
  watch(listener: Listener): () => void;
  /** Takes `record` as the end of the task, without a read, until it is called again. */
  hold(record: TaskRecord | undefined): void;
  /** The error that `get()` throws for a terminal record. */
  errorOf(record: TaskRecord): TaskFailedError | TaskRevokedError | undefined;
  /** The error that `get()` throws after `timeout` ms; `outage` is its cause, if there is one. */
  timeoutError(timeout: number, outage?: BullrushError): TimeoutError;
}

/** The handle on the results of a group, as sets of results see it. */
export interface Group extends Handle {
  readonly results: readonly (SingleResult | Group)[];
  /** Id of the flow whose result it is. */
  readonly flow: string | undefined;
  /** Whether its continuation runs even if members have failed. */
  readonly isPartial: boolean;
}

export function isGroup(handle: SingleResult | Group): handle is Group {
  return mark.group in handle;
}

/** The handles on single results among `handles` and in their groups, in order. */
export function leavesOf(handles: readonly (SingleResult | Group)[]): readonly SingleResult[] {
  return handles.flatMap((handle) => (isGroup(handle) ? leavesOf(handle.results) : [handle]));
}

/**
 * The handles that have to end before all `handles` have, in order: those on tasks, and for members
 * that are empty groups those of the step before them.
 */
export function awaitedOf(handles: readonly (SingleResult | Group)[]): readonly SingleResult[] {
  return handles.flatMap((handle) => (isGroup(handle) ? [...awaitedOf(handle.results), ...awaitedBefore(handle)] : [handle]));
}

/**
 * The result to wait for in place of a group without tasks: the nearest step before it, whose
 * failure would be the group's.
 */
export function awaitedBefore(group: Group): readonly SingleResult[] {
  if (!isEmpty(group)) return [];
  let before = group.parent as SingleResult | Group | undefined;
  while (before !== undefined && isGroup(before) && before.isPartial) before = before.parent as SingleResult | Group | undefined;
  return before === undefined ? [] : awaitedOf([before]);
}

function isEmpty(handle: SingleResult | Group): boolean {
  return isGroup(handle) && handle.results.every(isEmpty);
}

/**
 * Returns the handles as an array. Throws `INVALID_OPTION`, naming the place, for a value that is
 * not a handle.
 */
export function checkHandles<H extends Handle>(input: Iterable<H>, where: string): readonly (H & (SingleResult | Group))[] {
  const isIterable = typeof input === "object" && input !== null && Symbol.iterator in input;
  if (!isIterable) refuse(`what was given to ${where}`, kindOf(input), "an array of results");
  return Array.from(input, (handle, index) => {
    const fits = typeof handle === "object" && handle !== null && (mark.single in handle || mark.group in handle);
    if (!fits) refuse(`result ${index + 1} of ${where}`, kindOf(handle), "a handle, as delay() gives it");
    return handle as H & (SingleResult | Group);
  });
}
