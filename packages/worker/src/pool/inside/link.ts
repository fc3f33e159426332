import type { Output } from "@bullrush/program";
import type { FromRunner, ToRunner } from "../messages.js";

/** A runner's connection to its worker. */
export interface Link {
  /** `sent` is called when it is on its way, and arrives even if this side ends. */
  send(message: FromRunner, sent?: () => void): void;
  /** Tells what was written here. It arrives before whatever is sent later, and waits while the worker is far behind. */
  write(output: Output): void;
  listen(onMessage: (message: ToRunner) => void): void;
}
