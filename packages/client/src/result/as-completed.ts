import { checkOptions } from "../options/check.js";
import type { AsyncResult } from "./async-result.js";
import type { Handle } from "./handle.js";
import { checkHandles, leavesOf, type SingleResult } from "./single-result.js";
import { waitInTask } from "./wait-in-task.js";
import { waitChecks, type WaitOptions } from "./wait-options.js";
import { watchAll, type Ending } from "./watch-all.js";

/** The handles on single results in `H`. */
export type SingleResultOf<H> = H extends AsyncResult
  ? H
  : H extends Handle<infer Values extends readonly unknown[]>
    ? MemberOf<Values[number]>
    : AsyncResult;

/** The result type of a member does not tell whether it is a group itself. */
type MemberOf<Value> = AsyncResult<Value extends readonly unknown[] ? unknown : Value>;

/**
 * Maximum number of records that are kept for a slow reader, who otherwise reads a record when
 * asking for the value.
 */
const maxKept = 1000;

/**
 * Yields the handles in the order in which their tasks end, the members of groups one by one. Their
 * `get()` then returns without waiting. Throws `TimeoutError` if the time is over before all have
 * ended, the signal's reason, `RESULT_BACKEND_UNAVAILABLE` and `INVALID_OPTION`. Leaving the loop
 * early releases everything.
 */
export async function* asCompleted<H extends Handle>(
  results: Iterable<H>,
  options: WaitOptions = {},
): AsyncGenerator<SingleResultOf<H>, void, undefined> {
  checkOptions(options, waitChecks, "of asCompleted()");
  const leaves = leavesOf(checkHandles(results, "asCompleted()"));
  /** The handles that were not yielded yet. */
  const endings = new Set<Pick<Ending, "index" | "record">>();
  let left = leaves.length;
  let failed: { readonly reason: unknown } | undefined;
  let wake: () => void = () => undefined;
  const wait = waitInTask(leaves);
  const stop = watchAll(leaves, options, {
    onEnd: (ending) => {
      endings.add(endings.size < maxKept ? ending : { index: ending.index });
      wake();
    },
    onError: (reason) => {
      failed = { reason };
      wake();
    },
    onPending: wait?.onPending,
  });
  try {
    while (left > 0) {
      for (const ending of endings) {
        endings.delete(ending);
        left--;
        const result = leaves[ending.index] as SingleResult;
        result.hold(ending.record);
        try {
          yield result as Handle as SingleResultOf<H>;
        } finally {
          result.hold(undefined);
        }
      }
      if (failed !== undefined) throw failed.reason;
      if (left === 0) break;
      const ending = new Promise<void>((resolve) => (wake = resolve));
      await (wait?.during(ending) ?? ending);
    }
  } finally {
    stop();
  }
}
