import type { Body } from "../contenders/body.js";
import type { Contender, Stop } from "../contenders/contender.js";
import type { Sample } from "./metric.js";
import type { Sent, Setting } from "./setting.js";

/**
 * A use of a task queue, run with each contender in turn. Each function runs in a fresh process.
 */
export interface Scenario {
  /** For `--scenario`. */
  readonly name: string;
  /** One line of description; `%n` stands for the number of tasks. */
  readonly title: string;
  /** How many tasks one run has, unless `--tasks` says otherwise. */
  readonly tasks: number;
  /** The body of the tasks. Default: `echo`. */
  readonly body?: Body;
  /** The contenders, ours first; the last is the one to compare with. */
  readonly contenders: readonly Contender[];
  /** Runs before `measure`, which gets its return value as `sent`. */
  readonly prepare?: (contender: Contender, setting: Setting) => Promise<readonly Sent[]>;
  /**
   * Resolves when the worker consumes, with the function that ends it; the worker runs during
   * `measure`.
   */
  readonly work?: (contender: Contender, setting: Setting) => Promise<Stop>;
  readonly measure: (contender: Contender, setting: Setting) => Promise<Sample>;
}
