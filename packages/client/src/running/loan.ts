/** A task whose result is awaited, and the queues in which its message may be. */
export interface AwaitedTask {
  readonly id: string;
  readonly queues: readonly string[];
}

/** The slot of a task that waits, lent to other tasks meanwhile. */
export interface Loan {
  /** Ends the loan. Resolves when the task has a slot again. Never rejects. */
  regain(): Promise<void>;
}

/** Gives the tasks that have to end before a wait is over. Called only when they are needed: they may be many. */
export type AwaitedTasks = () => readonly AwaitedTask[];
