import { kindOf, refuse } from "../task/check.js";
import type { AsyncResult } from "./async-result.js";
import type { GroupResult } from "./group-result.js";

/** The handle on one result, or on those of a group. */
export type Handle = AsyncResult | GroupResult;

/** What the results of `Handles` come to, in their order: of a group, an array. */
export type ValuesOf<Handles extends readonly Handle[]> = { -readonly [Place in keyof Handles]: ValueOf<Handles[Place]> };

type ValueOf<H> = H extends AsyncResult<infer Result> ? Result : H extends GroupResult<infer Results> ? Results : never;

const mark = { task: Symbol.for("bullrush.result"), group: Symbol.for("bullrush.group-result") } as const;

/** @internal How handles are told from other values, whichever copy of this package made them. */
export { mark as handleMark };

export function isGroup(handle: Handle): handle is GroupResult {
  return mark.group in handle;
}

/** The handles on single results among `handles` and in their groups, in order. */
export function* leavesOf(handles: Iterable<Handle>): Generator<AsyncResult> {
  for (const handle of handles) {
    if (isGroup(handle)) yield* leavesOf(handle.results);
    else yield handle;
  }
}

/** `given` as an array. Throws `INVALID_OPTION`, naming its place, for what is no handle. */
export function handlesOf<H extends Handle>(given: Iterable<H>, where: string): readonly H[] {
  const isIterable = typeof given === "object" && given !== null && Symbol.iterator in given;
  if (!isIterable) refuse(`what was given to ${where}`, kindOf(given), "an array of results");
  const handles = Array.from(given);
  handles.forEach((handle: unknown, index) => {
    const fits = typeof handle === "object" && handle !== null && (mark.task in handle || mark.group in handle);
    if (!fits) refuse(`result ${index + 1} of ${where}`, kindOf(handle), "a handle, as delay() gives it");
  });
  return handles;
}
