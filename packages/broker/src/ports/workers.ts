/** A worker, as the others see it whose name it bears. */
export interface NameHolder {
  readonly host: string;
  readonly pid: number;
  /** Since when it works, ms since the epoch. */
  readonly startedAt: number;
}

/**
 * The names of the workers that live. A name is held for `nameLifetime` after each claim, so that a
 * dead worker frees its own; two workers that ask at once do not get the same. Leases and results
 * do not depend on names: they are for people.
 */
export interface WorkerNames {
  /**
   * Claims `name` for the worker whose token this is, or keeps it. `undefined` if it holds the
   * name; else who does, as far as that can be read. Rejects within 5 s.
   * @param token fresh for each worker
   */
  claim(name: string, token: string, holder: NameHolder): Promise<Partial<NameHolder> | undefined>;

  /** Gives up a name, unless another worker holds it. Rejects within 5 s. */
  release(name: string, token: string): Promise<void>;
}

/** How long a name is held after it was claimed, in ms. */
export const nameLifetime = 60_000;
