import type { FromRunner, ToRunner } from "../messages.js";

/** A runner's connection to its worker. */
export interface Link {
  /** `sent` is called when it is on its way, and arrives even if this side ends. */
  send(message: FromRunner, sent?: () => void): void;
  listen(hear: (message: ToRunner) => void): void;
}
