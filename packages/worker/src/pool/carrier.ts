import type { FromRunner, ToRunner } from "./messages.js";

/** The thread or the process that a runner is in, as its worker sees it. */
export interface Carrier {
  /** For people: `pool process 123`, `pool thread 3`. */
  readonly name: string;
  /** For log lines: the id of the process or the thread, if it has one. */
  readonly facts: { readonly pid?: number; readonly thread?: number };
  /** Host and port where debuggers may attach to it, if it has its own. */
  readonly debugger?: string;
  /** Never throws: what cannot be delivered is followed by `gone`. */
  send(message: ToRunner): void;
  /** Ends it at once, whatever it computes. */
  kill(): void;
  /** Resolves, when all that it said was heard, with how it ended: `SIGKILL`, `exit code 1`. */
  readonly gone: Promise<string>;
}

/** Starts a runner. `hear` gets all that it says; with `captureConsole` also what it writes to stdout and stderr, in the order in which it wrote and said it. May throw. */
export type Launch = (hear: (message: FromRunner) => void, captureConsole: boolean) => Carrier;

/** A carrier by `launch`; one that cannot be started, for want of memory or processes, is gone at once. Never throws. */
export function carry(launch: Launch, hear: (message: FromRunner) => void, captureConsole: boolean): Carrier {
  try {
    return launch(hear, captureConsole);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { name: "a runner without a process", facts: {}, send: () => {}, kill: () => {}, gone: Promise.resolve(reason) };
  }
}
