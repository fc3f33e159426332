import { BullrushError, maxTimerDelay, toMilliseconds, type Duration } from "@bullrush/broker";
import type { Logger } from "pino";

/** Options of a beat. All have defaults. */
export interface BeatOptions {
  /**
   * Longest time between two looks for what is due, from 100 ms. Default: `"5s"`. What is due before is looked for in time, and changes of
   * entries are heard of at once.
   */
  readonly maxInterval?: Duration;
  /** Whether to start on a Redis that evicts keys when its memory is full: it drops entries and waiting tasks. Then it is only warned of. Default: `false`. */
  readonly allowEviction?: boolean;
  /** Default: JSON lines on stdout. */
  readonly log?: Logger;
}

export interface CompiledBeatOptions {
  /** In ms. */
  readonly maxInterval: number;
  readonly allowEviction: boolean;
}

/** Throws `INVALID_OPTION` for what does not fit. */
export function compileBeatOptions({ maxInterval = "5s", allowEviction = false, ...others }: BeatOptions): CompiledBeatOptions {
  const [unknown] = Object.keys(others).filter((name) => name !== "log");
  if (unknown !== undefined) {
    throw new BullrushError("INVALID_OPTION", {
      option: `"${unknown}" of createBeat()`,
      got: "not an option",
      expected: "maxInterval, allowEviction or log",
    });
  }
  const compiled = Math.min(toMilliseconds(maxInterval, "maxInterval"), maxTimerDelay);
  if (compiled < 100)
    throw new BullrushError("INVALID_OPTION", { option: "maxInterval", got: `${compiled} ms`, expected: "100 ms at least" });
  return { maxInterval: compiled, allowEviction };
}
