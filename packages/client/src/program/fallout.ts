import { toFailure } from "@bullrush/broker";
import type { Logger } from "pino";
import { redactFailure } from "./redact.js";

/**
 * What tasks leave behind outside their own promises. A rejection that nobody handled is logged, and the process goes on: ending it would
 * take all the other tasks along. After an exception that nobody caught the process is in no known state: `onCrash` is called, to end it
 * in an orderly way.
 */
export function watchFallout(log: Logger, onCrash: () => void): void {
  process.on("unhandledRejection", (error) => log.error(redactFailure(toFailure(error)), "a promise was rejected, and nobody handled it"));
  process.on("uncaughtException", (error) => {
    log.fatal(redactFailure(toFailure(error)), "an exception was thrown, and nobody caught it: the process ends");
    onCrash();
  });
}
