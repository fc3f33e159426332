/** A handle as plain data that JSON can carry: from `toJSON()`, for `app.restoreResult(data)`. */
export type ResultData = TaskResultData | GroupResultData;

export interface TaskResultData extends StepsBefore {
  /** UUID of the task. */
  readonly id: string;
  /** The queues that its message may be in, and whether it may be in others too. */
  readonly queues: readonly string[];
  readonly elsewhere?: boolean;
  /** Name of the task, if it is known. */
  readonly task?: string;
  readonly ignoreResult?: boolean;
  /** Id of the flow whose result it is. */
  readonly flow?: string;
}

export interface GroupResultData extends StepsBefore {
  /** UUID of the group. */
  readonly id: string;
  /** The members, in order. */
  readonly results: readonly ResultData[];
  /** Whether its continuation runs even if members have failed. Default: false. */
  readonly isPartial?: boolean;
  /** Id of the flow whose result it is. */
  readonly flow?: string;
}

interface StepsBefore {
  /**
   * The steps before it in a chain, the nearest first; they have no `parents` of their own.
   * Default: none.
   */
  readonly parents?: readonly ResultData[];
}
