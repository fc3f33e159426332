import { vi } from "vitest";
import { hangTimeout } from "./hang-timeout.js";

/** What `look` returns once it no longer throws: the assertions in it hold. */
export function until<T>(look: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(look, { timeout: hangTimeout, interval: 10 });
}
