import type { Duration } from "@bullrush/broker";
import { checkOptions, kindOf, refuse, type Check } from "../options/check.js";
import type { Handle } from "./handle.js";
import { awaitedOf, checkHandles } from "./single-result.js";
import { inTask } from "./wait-in-task.js";
import { waitChecks } from "./wait-options.js";
import { watchAll } from "./watch-all.js";

/**
 * When `waitFor` returns. `first-failure`: when one has failed or was revoked, or all have ended. A
 * group has ended when all its members have.
 */
export type Until = "first" | "first-failure" | "all";

export interface WaitForOptions {
  /** Default: `all`. */
  readonly until?: Until;
  /** Maximum time to wait, after which it returns the current state. Default: no limit. */
  readonly timeout?: Duration;
  /** Ends the wait, not the tasks: it rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/**
 * The handles of the tasks that have ended, in any state, and of those that have not, each in the
 * order of the arguments.
 */
export interface Waited<H> {
  readonly done: readonly H[];
  readonly pending: readonly H[];
}

const checks: Record<keyof WaitForOptions, Check> = { ...waitChecks, until: isUntil };

/**
 * Waits until the first of `results` has ended, the first has failed, or all have ended. It does
 * not reject for a failure. Rejects with the signal's reason, `RESULT_BACKEND_UNAVAILABLE` and
 * `INVALID_OPTION`. An unknown task counts as failed.
 */
export async function waitFor<H extends Handle>(results: Iterable<H>, options: WaitForOptions = {}): Promise<Waited<H>> {
  checkOptions(options, checks, "of waitFor()");
  const handles = checkHandles(results, "waitFor()");
  const { until = "all" } = options;
  const members = handles.map((handle) => awaitedOf([handle]));
  /** For each handle, how many of its single results have not ended. */
  const left = members.map(({ length }) => length);
  /** For each single result, the place of its handle. */
  const places = members.flatMap((leaves, place) => leaves.map(() => place));
  const leaves = members.flat();
  const wait = (onPending?: () => void) =>
    new Promise<void>((resolve, reject) => {
      let pending = leaves.length;
      const stop = watchAll(leaves, options, {
        onEnd: ({ index, record }) => {
          const place = places[index] ?? 0;
          const still = (left[place] ?? 1) - 1;
          left[place] = still;
          const failed = record?.state !== "SUCCESS";
          if (--pending === 0 || (until === "first" && still === 0) || (until === "first-failure" && failed)) finish();
        },
        onError: reject,
        onTimeout: resolve,
        onPending,
      });
      const finish = () => {
        stop();
        resolve();
      };
      if (pending === 0 || (until === "first" && left.includes(0))) finish();
    });
  await inTask(leaves, wait);
  const isDone = (_: H, place: number) => left[place] === 0;
  return { done: handles.filter(isDone), pending: handles.filter((handle, place) => !isDone(handle, place)) };
}

function isUntil(value: unknown, option: string): void {
  const fits = value === "first" || value === "first-failure" || value === "all";
  if (!fits) refuse(option, typeof value === "string" ? JSON.stringify(value.slice(0, 40)) : kindOf(value), "first, first-failure or all");
}
