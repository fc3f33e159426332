import { vi } from "vitest";
import { hangTimeout } from "./hang-timeout.js";

/** Resolves to the value of `look` once it no longer throws, when its assertions hold. */
export function until<T>(look: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(look, { timeout: hangTimeout, interval: 10 });
}
