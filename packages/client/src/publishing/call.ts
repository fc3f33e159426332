import type { CallSettings, TaskOptions } from "../options/task-options.js";

/** A call to be sent. */
export interface Call {
  readonly task: string;
  readonly args: readonly unknown[];
  /** Options of the task's declaration, where it is known. */
  readonly declared: TaskOptions;
  readonly options: CallSettings;
  /** `args` are lists of arguments, one for each of several runs. */
  readonly each?: boolean;
}
