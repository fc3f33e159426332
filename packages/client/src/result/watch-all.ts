import type { BullrushError, TaskRecord } from "@bullrush/broker";
import { UnknownTaskError } from "./errors.js";
import type { SingleResult } from "./single-result.js";
import { limitWait, type WaitOptions } from "./wait-options.js";

/** The end of one of several results: its record, or that its id is unknown. */
export type Ending = { readonly index: number } & (
  | { readonly record: TaskRecord; readonly unknown?: undefined }
  | { readonly record?: undefined; readonly unknown: UnknownTaskError }
);

export interface Watcher {
  /** Called once for each, asynchronously, in the order in which they end. */
  readonly onEnd: (ending: Ending) => void;
  /**
   * Called with the error that ends the watch: the backend's, the signal's reason, or the timeout
   * without an `onTimeout`. The last call.
   */
  readonly onError: (reason: unknown) => void;
  /** Called instead of `onError` when the time is over. The last call. */
  readonly onTimeout?: () => void;
  /** Called when none of the remaining results is known to have ended; may be called again. */
  readonly onPending?: (() => void) | undefined;
}

/**
 * Watches many results with one timer and one listener, until all have ended or the returned
 * function is called. Throws the signal's reason if it has aborted already.
 */
export function watchAll(results: readonly SingleResult[], options: WaitOptions, watcher: Watcher): () => void {
  /** The results that have not ended, by index, with the functions that cancel their waits. */
  const pending = new Map<number, () => void>();
  /** Those of them that were not looked at yet. */
  const unseen = new Set(watcher.onPending === undefined ? [] : results.keys());
  let over = false;
  const { release, onOutage } = limitWait(options, { onTimeout, onAbort: fail });

  function stop(): void {
    over = true;
    release();
    for (const giveUp of pending.values()) giveUp();
    pending.clear();
  }

  function fail(reason: unknown): void {
    if (over) return;
    stop();
    watcher.onError(reason);
  }

  function onTimeout(timeout: number, outage?: BullrushError): void {
    const [index = 0] = pending.keys();
    stop();
    if (watcher.onTimeout !== undefined) watcher.onTimeout();
    else watcher.onError(results[index]?.timeoutError(timeout, outage));
  }

  function end(ending: Ending): void {
    if (!pending.delete(ending.index)) return;
    if (pending.size === 0) stop();
    watcher.onEnd(ending);
    if (unseen.delete(ending.index)) notifyPending();
  }

  function notifyPending(): void {
    if (!over && unseen.size === 0) watcher.onPending?.();
  }

  function see(index: number): void {
    if (unseen.delete(index)) notifyPending();
  }

  results.forEach((result, index) => {
    const onEnd = (record: TaskRecord) => end({ index, record });
    const onError = (reason: unknown) => (reason instanceof UnknownTaskError ? end({ index, unknown: reason }) : fail(reason));
    const onPending = watcher.onPending && (() => see(index));
    pending.set(index, result.watch({ onEnd, onError, onPending, onOutage }));
  });
  if (results.length === 0) stop();
  return stop;
}
