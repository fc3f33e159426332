import { toFailure, type FailureOptions } from "@bullrush/broker";
import { enclosingTask, type Log } from "@bullrush/client";
import { redactFailure } from "./redact.js";

/** The log fields that name the task of this asynchronous context; empty outside a task. */
export function taskFields(): { readonly task?: string; readonly id?: string } {
  const context = enclosingTask();
  return context === undefined ? {} : { task: context.name, id: context.id };
}

/** Maximum number of lines about uncaught exceptions while the process ends. */
const maxLines = 100;

/**
 * Logs the errors that tasks leave behind outside their own promises. After an unhandled rejection
 * the process goes on: its end would end all other tasks too. After an uncaught exception the state
 * of the process is unknown: `onCrash` ends it in an orderly way and returns the text for the log
 * line. `onCrash` is called for each exception, in the exception's asynchronous context.
 */
export function logUnhandledErrors(log: Log, onCrash: () => string, { fullStacks }: FailureOptions = {}): void {
  const said = new Set<string>();
  process.on("unhandledRejection", (error) => {
    log.error({ ...taskFields(), ...redactFailure(toFailure(error, { fullStacks })) }, "a promise was rejected, and nobody handled it");
  });
  process.on("uncaughtException", (error) => {
    const fields = { ...taskFields(), ...redactFailure(toFailure(error, { fullStacks })) };
    const line = `an exception was thrown, and nobody caught it: ${onCrash()}`;
    // The process may take time to end, while a timer throws at each turn.
    const key = JSON.stringify([fields.id, fields.error, line]);
    if (said.has(key) || said.size >= maxLines) return;
    said.add(key);
    log.fatal(fields, line);
  });
}
