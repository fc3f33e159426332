import { shortestInterval as shortest, toMilliseconds, type Duration, type Schedule } from "@bullrush/broker";
import { refuse } from "../options/check.js";

/** Below this a bare number was probably meant as seconds. */
const suspicious = 1000;

/** Every so many ms, or `"20s"`, from 100 ms; counted from the beginning of its entry, not from its last tick. Throws `INVALID_OPTION`; also for a bare number below 1000. */
export function every(interval: Duration): Schedule & { readonly type: "every" } {
  return compileInterval(interval, "the interval of every()");
}

/** As `every`, naming `option` in what it throws. */
export function compileInterval(interval: Duration, option: string): Schedule & { readonly type: "every" } {
  const length = toMilliseconds(interval, option);
  if (typeof interval === "number" && interval < suspicious) {
    refuse(option, `${interval}, which is milliseconds`, `a string with a unit, such as "${length > 0 ? length : 20}s" or "${shortest}ms"`);
  }
  if (length < shortest) refuse(option, `${length} ms`, `${shortest} ms at least`);
  return { type: "every", every: length };
}
