import { toFailure, type FailureOptions } from "@bullrush/broker";
import type { Logger } from "pino";
import { enclosingTask } from "../task/context.js";
import { redactFailure } from "./redact.js";

/** The fields by which a log line names the task in whose asynchronous context it is written; none outside a task. */
export function taskFields(): { readonly task?: string; readonly id?: string } {
  const context = enclosingTask();
  return context === undefined ? {} : { task: context.name, id: context.id };
}

/** Most lines about exceptions that nobody caught, while the process ends. */
const maxLines = 100;

/**
 * What tasks leave behind outside their own promises. A rejection that nobody handled is logged, and the process goes on: ending it would
 * take all the other tasks along. After an exception that nobody caught the process is in no known state: `onCrash` is called, to end it
 * in an orderly way, and returns what the line is to say of that. It is called in the asynchronous context of the exception, for each one.
 */
export function watchFallout(log: Logger, onCrash: () => string, { fullStacks }: FailureOptions = {}): void {
  const said = new Set<string>();
  process.on("unhandledRejection", (error) => {
    log.error({ ...taskFields(), ...redactFailure(toFailure(error, { fullStacks })) }, "a promise was rejected, and nobody handled it");
  });
  process.on("uncaughtException", (error) => {
    const fields = { ...taskFields(), ...redactFailure(toFailure(error, { fullStacks })) };
    const line = `an exception was thrown, and nobody caught it: ${onCrash()}`;
    // The process may take its time to end, and a timer throws at each turn.
    const key = JSON.stringify([fields.id, fields.error, line]);
    if (said.has(key) || said.size >= maxLines) return;
    said.add(key);
    log.fatal(fields, line);
  });
}
