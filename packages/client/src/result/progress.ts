import type { TaskRecord } from "@bullrush/broker";
import { checkOptions } from "../options/check.js";
import type { SingleResult } from "./single-result.js";
import { outcomeOf, type TaskOutcome } from "./outcome.js";
import { waitInTask } from "./wait-in-task.js";
import { getChecks, limitWait, type GetOptions } from "./wait-options.js";

/** A report of a task on itself. */
export interface Progress {
  /** PROGRESS, or a state of the task's own. */
  readonly state: string;
  /** The report's data, from JSON. */
  readonly meta: unknown;
}

export interface IterateOptions extends GetOptions {
  /**
   * Whether the iteration throws for a failed or revoked task, instead of returning its outcome
   * (default).
   */
  readonly propagate?: boolean;
}

/** Maximum number of reports that are kept for a slow reader; the oldest are dropped. */
const maxKept = 100;

const known: ReadonlySet<string> = new Set(["UNKNOWN", "PENDING", "STARTED", "RETRY"]);

/** Yields the reports of the task until it has ended, and returns its outcome. */
export async function* iterateProgress<Result>(
  result: SingleResult,
  options: IterateOptions,
): AsyncGenerator<Progress, TaskOutcome<Result>, undefined> {
  checkOptions(options, getChecks, "of iterate()");
  const kept: Progress[] = [];
  let last: string | undefined;
  let ended: { readonly record?: TaskRecord; readonly reason?: unknown } | undefined;
  let wake: () => void = () => undefined;

  function end(how: { readonly record?: TaskRecord; readonly reason?: unknown }): void {
    ended ??= how;
    wake();
  }

  function onNews({ state, meta }: TaskRecord): void {
    if (known.has(state)) return;
    const text = JSON.stringify([state, meta]);
    if (text === last) return;
    last = text;
    kept.push({ state, meta });
    if (kept.length > maxKept) kept.shift();
    wake();
  }

  const { release, onOutage } = limitWait(options, {
    onTimeout: (timeout, outage) => end({ reason: result.timeoutError(timeout, outage) }),
    onAbort: (reason) => end({ reason }),
  });
  const wait = waitInTask([result]);
  const onPending = wait?.onPending;
  const stop = result.watch({ onEnd: (record) => end({ record }), onError: (reason) => end({ reason }), onNews, onPending, onOutage });
  try {
    for (;;) {
      for (let report = kept.shift(); report !== undefined; report = kept.shift()) yield report;
      if (ended !== undefined) break;
      const news = new Promise<void>((resolve) => (wake = resolve));
      await (wait?.during(news) ?? news);
    }
  } finally {
    release();
    stop();
  }
  const { record, reason } = ended;
  if (record === undefined) throw reason;
  const error = options.propagate === true ? result.errorOf(record) : undefined;
  if (error !== undefined) throw error;
  return outcomeOf(record);
}
