import { longestTimer, toMilliseconds, type BullrushError, type Duration } from "@bullrush/broker";
import { getMaxListeners, setMaxListeners } from "node:events";
import { isDuration, isFlag, isSignal, type Check } from "../options/check.js";

/** How long is waited. */
export interface WaitOptions {
  /**
   * Longest time to wait; then it rejects with `TimeoutError`, and the task goes on. An outage of the result backend does not end a wait before, however long it lasts; `cause` of the error tells of one.
   * Default: no limit.
   */
  readonly timeout?: Duration;
  /** Ends the waiting, not the task: it rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

export interface GetOptions extends WaitOptions {
  /** Whether a failed or revoked task makes it reject (default), or gives its outcome as a value. */
  readonly propagate?: boolean;
}

export const waitChecks: Record<keyof WaitOptions, Check> = { timeout: isDuration, signal: isSignal };
export const getChecks: Record<keyof GetOptions, Check> = { ...waitChecks, propagate: isFlag };

/** What is done when the waiting has lasted long enough. */
export interface Limits {
  /** Gets the timeout in ms, and why the backend cannot be asked, if it cannot. */
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

/** Limits a wait by one timer and one listener, until it is released. Throws the signal's reason if it has aborted already. */
export function limitWait({ timeout, signal }: WaitOptions, { onTimeout, onAbort }: Limits): LimitedWait {
  signal?.throwIfAborted();
  let outage: BullrushError | undefined;
  const longest = timeout === undefined ? undefined : toMilliseconds(timeout, "timeout");
  const timer = longest === undefined ? undefined : setTimeout(() => onTimeout(longest, outage), Math.min(longest, longestTimer));
  const listener = () => onAbort(signal?.reason);
  if (signal !== undefined) listen(signal, listener);
  const release = () => {
    clearTimeout(timer);
    if (signal !== undefined) unlisten(signal, listener);
  };
  return { release, onOutage: (error) => void (outage = error) };
}

/** Many waits with one signal are no leak, of which Node would warn: each adds to what the signal allows. */
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
