import type { SpaceTime } from "./space-time.js";
import type { QueueTable } from "./queue-table.js";

export interface WaitOptions {
  readonly queues: QueueTable;
  readonly time: SpaceTime;
  /** Longest time in ms. */
  readonly longest: number;
  /** Rejects the wait when it aborts. */
  readonly signal: AbortSignal;
}

/** Resolves when there is news of some queue, or `until`, in ms since the epoch. */
export function waitForNews({ queues, time, longest, signal }: WaitOptions, until: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = () => {
      clearTimeout(timer);
      stop();
      signal.removeEventListener("abort", onAbort);
    };
    const onNews = () => {
      end();
      resolve();
    };
    const onAbort = () => {
      end();
      reject(signal.reason as Error);
    };
    const timer = time.setTimer(onNews, Math.min(longest, Math.max(0, until - time.now())));
    const stop = queues.onNews(onNews);
    if (signal.aborted) onAbort();
    else signal.addEventListener("abort", onAbort, { once: true });
  });
}
