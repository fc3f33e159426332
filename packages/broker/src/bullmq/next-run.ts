/** The next job of a job scheduler. */
export interface NextRun {
  /** When it is due, ms since the epoch; `undefined` when BullMQ's script reckons it from the time between two. */
  readonly at: number | undefined;
  /** Its options, as BullMQ stores them. */
  readonly options: object;
}

interface Repeat {
  readonly pattern?: string;
  readonly every?: number;
  readonly offset?: number;
  readonly count?: number;
  readonly limit?: number;
  readonly startDate?: number | string;
  readonly endDate?: number | string;
}

interface Stored {
  readonly repeat?: Repeat;
  readonly prevMillis?: number;
  readonly backoff?: number | object;
}

/**
 * What BullMQ's Worker schedules when it takes a job of a scheduler: `json` are that job's options, as BullMQ has stored them. `undefined` when it
 * was the last one. Rejects when they cannot be read, and with an error of cron-parser's for a pattern that is no cron expression: either may
 * quote them.
 */
export async function nextRun(scheduler: string, json: string, now: number): Promise<NextRun | undefined> {
  const stored = JSON.parse(json) as Stored;
  const { repeat = {}, prevMillis = 0, backoff } = stored;
  const { pattern, every, offset, limit, startDate, endDate } = repeat;
  const count = repeat.count ? repeat.count + 1 : 1;
  if (limit !== undefined && count > limit) return undefined;
  if (endDate && now > new Date(endDate).getTime()) return undefined;
  const at = pattern ? await nextOf(pattern, repeat, Math.max(prevMillis, now)) : undefined;
  if (!at && !every) return undefined;
  const options = {
    attempts: 0,
    ...stored,
    backoff: typeof backoff === "number" ? { type: "fixed", delay: backoff } : backoff,
    timestamp: now,
    prevMillis: at,
    repeatJobKey: scheduler,
    repeat: {
      ...repeat,
      offset: every && offset ? offset : undefined,
      count,
      startDate: startDate ? new Date(startDate).getTime() : undefined,
      endDate: endDate ? new Date(endDate).getTime() : undefined,
    },
  };
  return { at, options };
}

/** By BullMQ's own reckoning, which is loaded when it is first needed. */
async function nextOf(pattern: string, repeat: Repeat, after: number): Promise<number | undefined> {
  const { nextByBullmq } = await import("./repeat-strategy.js");
  const next = nextByBullmq(after, { ...repeat, pattern });
  return next === undefined ? undefined : Math.max(next, after);
}
