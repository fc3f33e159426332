/**
 * What observers see of a task. `UNKNOWN`: nobody knows the id. `PENDING`: sent, not taken. `STARTED`: taken by a worker.
 * `RETRY`: will run again. `SUCCESS`, `FAILURE`, `REVOKED` are terminal. Any other word is a custom state that the task set itself.
 */
export type TaskState = TerminalState | "UNKNOWN" | "PENDING" | "STARTED" | "RETRY" | (string & {});

/** The states that never change once stored. */
export type TerminalState = "SUCCESS" | "FAILURE" | "REVOKED";

export function isTerminal(state: TaskState): state is TerminalState {
  return state === "SUCCESS" || state === "FAILURE" || state === "REVOKED";
}
