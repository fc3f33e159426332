import ms from "ms";
import { BullrushError } from "./error.js";

/** A length of time: milliseconds as a number, or a string with a unit such as `"500ms"`, `"20s"`, `"5m"`, `"1h"`, `"1d"`. */
export type Duration = number | ms.StringValue;

/** `duration` in whole milliseconds. Throws `INVALID_OPTION`, naming `option`, unless it is finite and not negative. */
export function toMilliseconds(duration: Duration, option: string): number {
  const value = typeof duration === "string" ? parse(duration) : duration;
  if (typeof value === "number" && Number.isFinite(value) && value >= 0) return Math.round(value);
  throw new BullrushError("INVALID_OPTION", {
    option,
    got:
      typeof duration === "string"
        ? JSON.stringify(duration.slice(0, 80))
        : typeof duration === "number"
          ? String(duration)
          : `a ${typeof duration}`,
    expected: 'milliseconds, or a string such as "20s" or "5m"',
  });
}

function parse(text: ms.StringValue): number {
  return text.length > 0 && text.length <= 100 ? ms(text) : Number.NaN;
}
