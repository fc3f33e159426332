/** Where the time comes from, so that tests can say what time it is. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number;
}

export const systemClock: Clock = { now: () => Date.now() };

/** Time that only goes forward, whatever becomes of the system's clock: for deadlines. It does not count from the epoch. */
export const steadyClock: Clock = { now: () => performance.now() };
