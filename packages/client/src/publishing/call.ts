import type { CallSettings, TaskOptions } from "../options/task-options.js";

/** A call to be sent. */
export interface Call {
  readonly task: string;
  readonly args: readonly unknown[];
  /** Options of the task's declaration, if it is known. */
  readonly declared: TaskOptions;
  readonly options: CallSettings;
  /** Whether `args` is a list of argument lists, one for each run. */
  readonly each?: boolean;
}
