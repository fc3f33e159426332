import ms from "ms";
import { BullrushError } from "../errors/error.js";
import { typeOf } from "../errors/words.js";

/**
 * A length of time: milliseconds as a number, or a string with a unit such as `"500ms"`, `"20s"`,
 * `"5m"`, `"1h"`, `"1d"`.
 */
export type Duration = number | Exclude<ms.StringValue, `${number}`>;

/**
 * Longest duration, in ms: 100 years. Its end can still be stored by Redis as a time to live, by
 * BullMQ as a score (4096 times the time) that tells milliseconds apart, and by a `Date`.
 */
export const maxDuration = ms("100y");

/**
 * `duration` in whole milliseconds. Throws `INVALID_OPTION`, naming `option`, unless it is from 0
 * to 100 years.
 */
export function toMilliseconds(duration: Duration, option: string): number {
  const value = typeof duration === "string" ? parse(duration) : duration;
  if (typeof value === "number" && value >= 0 && value <= maxDuration) return Math.round(value);
  throw new BullrushError("INVALID_OPTION", {
    option,
    got:
      typeof duration === "string"
        ? JSON.stringify(duration.slice(0, 80))
        : typeof duration === "number"
          ? String(duration)
          : typeOf(duration),
    expected: typeof duration === "string" ? expectedFor(duration) : `milliseconds, or a string ${examples}`,
  });
}

const examples = 'such as "20s" or "5m", up to 100 years';

/** Shows both readings of a number without a unit. */
function expectedFor(text: string): string {
  if (!/^\d{1,20}(\.\d{1,20})?$/.test(text)) return `a duration with its unit, ${examples}`;
  return `a duration with its unit: write "${text}s" for seconds or "${text}ms" for milliseconds`;
}

/** Refuses a number without a unit, except 0: some read it as seconds, others as milliseconds. */
function parse(text: ms.StringValue): number {
  if ((text as string) === "0") return 0;
  return /[a-z]$/i.test(text) && text.length <= 100 ? ms(text) : Number.NaN;
}
