import type { Body } from "../contenders/body.js";
import type { Contender, Stop } from "../contenders/contender.js";
import type { Sample } from "./metric.js";
import type { Sent, Setting } from "./setting.js";

/**
 * Something that people do with a task queue, done with each contender in turn. Each function runs
 * in a fresh process.
 */
export interface Scenario {
  /** For `--scenario`. */
  readonly name: string;
  /** One line; `%n` stands for the number of tasks. */
  readonly title: string;
  /** How many tasks one run has, unless `--tasks` says otherwise. */
  readonly tasks: number;
  /** What the tasks do. Default: `echo`. */
  readonly body?: Body;
  /** Ours first; the last is the one to compare with. */
  readonly contenders: readonly Contender[];
  /**
   * Runs to its end before `measure` starts. What it gives is in the `sent` of `measure`'s setting.
   */
  readonly prepare?: (contender: Contender, setting: Setting) => Promise<readonly Sent[]>;
  /** Resolves when the worker consumes, with what ends it; it goes on beside `measure`. */
  readonly work?: (contender: Contender, setting: Setting) => Promise<Stop>;
  readonly measure: (contender: Contender, setting: Setting) => Promise<Sample>;
}
