import type { FromRunner, ToRunner } from "./messages.js";

/** The thread or the process in which a runner lives, as its worker sees it. */
export interface ChildHandle {
  /** For people: `pool process 123`, `pool thread 3`. */
  readonly name: string;
  /** For log lines: the id of the process or the thread, if it has one. */
  readonly facts: { readonly pid?: number; readonly thread?: number };
  /** Host and port where debuggers may attach to the child, if it has its own. */
  readonly debugger?: string;
  /** Never throws: after a message that cannot be delivered, `exited` resolves. */
  send(message: ToRunner): void;
  /** Ends the child at once, whatever it computes. */
  kill(): void;
  /** Resolves with how the child ended, such as `SIGKILL` or `exit code 1`, after its last message. */
  readonly exited: Promise<string>;
}

/**
 * Starts a child. `onMessage` receives every message of the child; with `captureConsole` also what
 * the child writes to stdout and stderr, in the order of writing and sending. May throw.
 */
export type Launch = (onMessage: (message: FromRunner) => void, captureConsole: boolean) => ChildHandle;

/**
 * The child that `launch` starts. If it cannot be started, for want of memory or processes, the
 * handle is that of a child which has exited. Never throws.
 */
export function launchChild(launch: Launch, onMessage: (message: FromRunner) => void, captureConsole: boolean): ChildHandle {
  try {
    return launch(onMessage, captureConsole);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { name: "a runner without a process", facts: {}, send: () => {}, kill: () => {}, exited: Promise.resolve(reason) };
  }
}
