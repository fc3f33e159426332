/** When a recurring call is due, as plain data. Beat computes the times. */
export type Schedule =
  /** Every so many ms, counted from the beginning of its entry, not from its last tick. */
  | { readonly type: "every"; readonly every: number }
  /** As cron says, five fields or six with seconds first. If a field of days begins with `*`, both days must match, else either. In a time zone (IANA), default the app's. */
  | { readonly type: "crontab"; readonly expression: string; readonly timezone?: string }
  /** At an event of the sun at a place: degrees north and east. */
  | { readonly type: "solar"; readonly event: SolarEvent; readonly latitude: number; readonly longitude: number };

/** Celery's names. */
export type SolarEvent =
  | "dawn_astronomical"
  | "dawn_nautical"
  | "dawn_civil"
  | "sunrise"
  | "solar_noon"
  | "sunset"
  | "dusk_civil"
  | "dusk_nautical"
  | "dusk_astronomical";

/** What becomes of ticks that were missed: none is sent, the latest, or all. */
export type CatchUp = "skip" | "latest" | "all";

/** A recurring call as plain data; what is absent is at its default. Times are ms since the epoch, lengths of time ms. */
export interface ScheduledCall {
  readonly task: string;
  /** `function` for a schedule that is a function of the app's options: only beats that have these can compute it. */
  readonly schedule: Schedule | { readonly type: "function" };
  /** Default: none. */
  readonly args?: readonly unknown[];
  /** Options of the call, as JSON carries them: a time as ISO string. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** Default: `latest`. */
  readonly catchUp?: CatchUp;
  /** A tick that is later than this is not sent. Default: no limit. */
  readonly deadline?: number;
  /** `skip`: no tick while the message of the last one, in its first queue, has not ended. Default: `allow`. */
  readonly overlap?: "allow" | "skip";
  /** Each tick is delayed by a random time up to this. Default: 0. */
  readonly jitter?: number;
  readonly startAt?: number;
  readonly endAt?: number;
  /** Most ticks in all. */
  readonly limit?: number;
}
