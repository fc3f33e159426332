/** A source of time, so that tests can set it. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/**
 * Time that never goes back, whatever happens to the system's clock: for deadlines. It does not
 * count from the epoch.
 */
export const steadyClock: Clock = { now: () => performance.now() };
