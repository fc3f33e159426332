/** A task whose result is awaited, and the queues in which its message may be. */
export interface AwaitedTask {
  readonly id: string;
  readonly queues: readonly string[];
}

/** The slot of a waiting task, lent to other tasks. */
export interface Loan {
  /** Ends the loan. Resolves when the task has a slot again. Never rejects. */
  regain(): Promise<void>;
}

/**
 * Returns the tasks that have to end before a wait is over. Called only if needed: there may be
 * many.
 */
export type AwaitedTasks = () => readonly AwaitedTask[];
