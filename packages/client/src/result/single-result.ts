import type { BullrushError, TaskRecord } from "@bullrush/broker";
import { kindOf, refuse } from "../options/check.js";
import type { TaskFailedError, TaskRevokedError, TimeoutError } from "./errors.js";
import type { Handle } from "./handle.js";
import type { Reference } from "./reference.js";
import type { Listener } from "./listener.js";

/** How handles are told from other values, whichever copy of this package made them. */
export const mark = { single: Symbol.for("bullrush.result"), group: Symbol.for("bullrush.group-result") } as const;

/** The record of a task that ignores its result. */
export const ignored: TaskRecord = { state: "SUCCESS", delivery: 0 };

/** The handle on one result, as sets of results see it. */
export interface SingleResult extends Handle {
  readonly reference: Reference;
  /** Tells `listener` how it ends, until the returned function is called. Never throws. */
  watch(listener: Listener): () => void;
  /** Takes `record` for its end, without looking, until it is given another one or none. */
  hold(record: TaskRecord | undefined): void;
  /** What `get()` throws for its terminal record. */
  errorOf(record: TaskRecord): TaskFailedError | TaskRevokedError | undefined;
  /** What `get()` throws after `timeout` ms, because of `outage` if there is one. */
  timeoutError(timeout: number, outage?: BullrushError): TimeoutError;
}

/** The handle on the results of a group, as sets of results see it. */
export interface Group extends Handle {
  readonly results: readonly (SingleResult | Group)[];
  /** Id of the flow that it is the result of. */
  readonly flow: string | undefined;
  /** Whether what follows upon it runs although members have failed. */
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
 * The handles on the tasks that have to end before all `handles` have, in order: those within, and behind the members of a group that comes
 * to no task at all, those of the step before it.
 */
export function awaitedOf(handles: readonly (SingleResult | Group)[]): readonly SingleResult[] {
  return handles.flatMap((handle) => (isGroup(handle) ? [...awaitedOf(handle.results), ...awaitedBefore(handle)] : [handle]));
}

/** What is awaited of a group without tasks: the next step before it whose failure it would fail of. */
export function awaitedBefore(group: Group): readonly SingleResult[] {
  if (!isEmpty(group)) return [];
  let before = group.parent as SingleResult | Group | undefined;
  while (before !== undefined && isGroup(before) && before.isPartial) before = before.parent as SingleResult | Group | undefined;
  return before === undefined ? [] : awaitedOf([before]);
}

function isEmpty(handle: SingleResult | Group): boolean {
  return isGroup(handle) && handle.results.every(isEmpty);
}

/** What was `given`, as an array. Throws `INVALID_OPTION`, naming its place, for what is no handle. */
export function checkHandles<H extends Handle>(input: Iterable<H>, where: string): readonly (H & (SingleResult | Group))[] {
  const isIterable = typeof input === "object" && input !== null && Symbol.iterator in input;
  if (!isIterable) refuse(`what was given to ${where}`, kindOf(input), "an array of results");
  return Array.from(input, (handle, index) => {
    const fits = typeof handle === "object" && handle !== null && (mark.single in handle || mark.group in handle);
    if (!fits) refuse(`result ${index + 1} of ${where}`, kindOf(handle), "a handle, as delay() gives it");
    return handle as H & (SingleResult | Group);
  });
}
