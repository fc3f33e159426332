import type { Contender } from "../contenders/contender.js";
import type { Sample } from "./metric.js";

/** Something that people do with a task queue, done with each contender in turn. Each function runs in a fresh process. */
export interface Scenario {
  /** For `--scenario`. */
  readonly name: string;
  /** One line; `%n` stands for the number of tasks. */
  readonly title: string;
  /** How many tasks one run has, unless `--tasks` says otherwise. */
  readonly tasks: number;
  /** Ours first; the last is the one to compare with. */
  readonly contenders: readonly Contender[];
  /** Runs to its end before `measure` starts. */
  readonly prepare?: (contender: Contender, setting: Setting) => Promise<void>;
  /** Resolves when the worker consumes, and goes on beside `measure`. */
  readonly work?: (contender: Contender, setting: Setting) => Promise<void>;
  readonly measure: (contender: Contender, setting: Setting) => Promise<Sample>;
}

export interface Setting {
  /** A Redis that is empty when `prepare` starts. */
  readonly url: string;
  readonly tasks: number;
}
