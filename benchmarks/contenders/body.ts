import { now } from "../measuring/clock.js";

/** The body of a task: the same function for all libraries in JavaScript. */
export const bodies = {
  /** Returns the number. */
  echo: (sent: number): number => sent,
  /** Returns the time at which it ran. */
  clock: (): number => now(),
  text1kB: (sent: number): string => text(sent, 1000),
  text100kB: (sent: number): string => text(sent, 100_000),
} as const satisfies Record<string, (sent: number) => number | string>;

export type Body = keyof typeof bodies;

function text(sent: number, length: number): string {
  return String(sent).padStart(length, "x");
}
