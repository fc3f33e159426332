import { BullrushError, maxTimerDelay, toMilliseconds, type Duration } from "@bullrush/broker";
import type { Logger } from "pino";

/** Options of a beat. All have defaults. */
export interface BeatOptions {
  /**
   * Maximum time between two looks for entries that are due, at least 100 ms. The beat wakes
   * earlier when a tick is due or an entry changes. Default: `"5s"`.
   */
  readonly maxInterval?: Duration;
  /**
   * Whether to start, with a warning, on a Redis that evicts keys when its memory is full and so
   * may lose entries and waiting tasks. Default: `false`.
   */
  readonly allowEviction?: boolean;
  /** Logger of the beat. Default: JSON lines on stdout. */
  readonly log?: Logger;
}

export interface CompiledBeatOptions {
  /** In ms. */
  readonly maxInterval: number;
  readonly allowEviction: boolean;
}

/** Compiles the options. Throws `INVALID_OPTION`. */
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
