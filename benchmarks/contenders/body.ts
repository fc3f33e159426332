import { now } from "../measuring/clock.js";

/**
 * What a task does with the number that it is sent: the same function for all that are written in
 * JavaScript.
 */
export const bodies = {
  /** Gives it back. */
  echo: (sent: number): number => sent,
  /** Gives the time at which it ran. */
  clock: (): number => now(),
  text1kB: (sent: number): string => text(sent, 1000),
  text100kB: (sent: number): string => text(sent, 100_000),
} as const satisfies Record<string, (sent: number) => number | string>;

export type Body = keyof typeof bodies;

function text(sent: number, length: number): string {
  return String(sent).padStart(length, "x");
}
