import type { FromRunner, ToRunner } from "./messages.js";

/** The thread or the process that a runner is in, as its worker sees it. */
export interface Carrier {
  /** For people: `pool process 123`, `pool thread 3`. */
  readonly name: string;
  /** For log lines: the id of the process or the thread. */
  readonly facts: { readonly pid: number } | { readonly thread: number };
  /** Never throws: what cannot be delivered is followed by `gone`. */
  send(message: ToRunner): void;
  /** Ends it at once, whatever it computes. */
  kill(): void;
  /** Resolves, when all that it said was heard, with how it ended: `SIGKILL`, `exit code 1`. */
  readonly gone: Promise<string>;
}

/** Starts a runner. `hear` gets all that it says. */
export type Launch = (hear: (message: FromRunner) => void) => Carrier;
