import { setTimeout as pause } from "node:timers/promises";
import { hangTimeout } from "./hang-timeout.js";

/**
 * Resolves to the first value of `look` that is neither undefined nor false. Calls it every 20 ms;
 * throws an error with `what` after `deadline` ms.
 */
export async function eventually<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  deadline = hangTimeout,
): Promise<T> {
  const end = Date.now() + deadline;
  for (;;) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > end) throw new Error(`after ${deadline} ms it still does not hold that ${what}`);
    await pause(20);
  }
}
