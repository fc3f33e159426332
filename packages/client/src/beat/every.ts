import { minInterval as shortest, toMilliseconds, type Duration, type Schedule } from "@bullrush/broker";
import { refuse } from "../options/check.js";

/** A smaller bare number was probably meant as seconds. */
const suspicious = 1000;

/**
 * A schedule every `interval` ms, or `"20s"`, at least 100 ms, counted from the start of the entry
 * and not from its last tick. Throws `INVALID_OPTION`, also for a bare number below 1000.
 */
export function every(interval: Duration): Schedule & { readonly type: "every" } {
  return compileInterval(interval, "the interval of every()");
}

/** As `every`; errors name `option`. */
export function compileInterval(interval: Duration, option: string): Schedule & { readonly type: "every" } {
  const length = toMilliseconds(interval, option);
  if (typeof interval === "number" && interval < suspicious) {
    refuse(option, `${interval}, which is milliseconds`, `a string with a unit, such as "${length > 0 ? length : 20}s" or "${shortest}ms"`);
  }
  if (length < shortest) refuse(option, `${length} ms`, `${shortest} ms at least`);
  return { type: "every", every: length };
}
