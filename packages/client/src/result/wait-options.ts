import { maxTimerDelay, toMilliseconds, type BullrushError, type Duration } from "@bullrush/broker";
import { getMaxListeners, setMaxListeners } from "node:events";
import { isDuration, isFlag, isSignal, type Check } from "../options/check.js";

/** Limits of a wait. */
export interface WaitOptions {
  /**
   * Maximum time to wait, after which it rejects with `TimeoutError`; the task goes on. An outage
   * of the result backend does not end the wait earlier, and is the `cause` of the error if it
   * lasts. Default: no limit.
   */
  readonly timeout?: Duration;
  /** Ends the wait, not the task: it rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface GetOptions extends WaitOptions {
  /**
   * Whether it rejects for a failed or revoked task (default), instead of returning the outcome as
   * a value.
   */
  readonly propagate?: boolean;
}

export const waitChecks: Record<keyof WaitOptions, Check> = { timeout: isDuration, signal: isSignal };
export const getChecks: Record<keyof GetOptions, Check> = { ...waitChecks, propagate: isFlag };

/** Called when the wait has reached its limit. */
export interface Limits {
  /** Called with the timeout in ms, and why the backend cannot be read, if it cannot. */
  readonly onTimeout: (timeout: number, outage?: BullrushError) => void;
  readonly onAbort: (reason: unknown) => void;
}

/** A wait that is limited. */
export interface LimitedWait {
  /** Ends the limit. */
  readonly release: () => void;
  /** For the listener of each result. */
  readonly onOutage: (error: BullrushError | undefined) => void;
}

/**
 * Limits a wait with one timer and one listener, until it is released. Throws the signal's reason
 * if it has aborted already.
 */
export function limitWait({ timeout, signal }: WaitOptions, { onTimeout, onAbort }: Limits): LimitedWait {
  signal?.throwIfAborted();
  let outage: BullrushError | undefined;
  const longest = timeout === undefined ? undefined : toMilliseconds(timeout, "timeout");
  const timer = longest === undefined ? undefined : setTimeout(() => onTimeout(longest, outage), Math.min(longest, maxTimerDelay));
  const listener = () => onAbort(signal?.reason);
  if (signal !== undefined) listen(signal, listener);
  const release = () => {
    clearTimeout(timer);
    if (signal !== undefined) unlisten(signal, listener);
  };
  return { release, onOutage: (error) => void (outage = error) };
}

/** Raises the signal's listener limit for each wait, so that Node does not warn of a leak. */
function listen(signal: AbortSignal, listener: () => void): void {
  allowMore(signal, 1);
  signal.addEventListener("abort", listener);
}

function unlisten(signal: AbortSignal, listener: () => void): void {
  signal.removeEventListener("abort", listener);
  allowMore(signal, -1);
}

function allowMore(signal: AbortSignal, more: number): void {
  const most = getMaxListeners(signal);
  if (most > 0) setMaxListeners(most + more, signal);
}
