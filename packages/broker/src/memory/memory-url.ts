import { BullrushError } from "../error.js";

const scheme = "memory:";

/** Whether a location says that everything is kept in the memory of this process. */
export function isMemoryUrl(location: unknown): location is string {
  return typeof location === "string" && location.toLowerCase().startsWith(scheme);
}

/**
 * The name in `memory://name`; `undefined` in `memory://`, which is shared with nobody. Throws
 * `INVALID_URL` for another form.
 */
export function memoryNameIn(url: string): string | undefined {
  const [, name] = /^memory:\/\/([\w.-]{0,100})\/?$/i.exec(url) ?? [];
  if (name === undefined) {
    throw new BullrushError("INVALID_URL", {
      reason: "a name in memory has letters, digits, dots, hyphens and underscores only",
      form: "memory:// or memory://name",
    });
  }
  return name === "" ? undefined : name;
}
