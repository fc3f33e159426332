import type { Logger } from "pino";

/** Output to stdout or stderr: whole lines of one write, without the last line break. */
export interface Output {
  readonly stream: "stdout" | "stderr";
  readonly text: string;
  /** How many characters were cut off at the end, if any. */
  readonly cut?: number;
  /** Name and id of the task that wrote it, if it is known. */
  readonly task?: string;
  readonly id?: string;
}

/** Maximum length of the text of one output, in characters. */
export const maxOutput = 20_000;

/** An output of `text`, cut if it is too long. */
export function outputOf(stream: Output["stream"], text: string, task?: { readonly task: string; readonly id: string }): Output {
  const cut = text.length - maxOutput;
  return { stream, text: cut > 0 ? text.slice(0, maxOutput) : text, ...(cut > 0 && { cut }), ...task };
}

/**
 * Logs an output: stdout at `info`, stderr at `warn`. `facts` name its origin if its task is
 * unknown.
 */
export function logOutput(log: Logger, { stream, text, cut, task, id }: Output, facts: object = {}): void {
  const level = stream === "stdout" ? "info" : "warn";
  const origin = id === undefined ? facts : { task, id };
  log[level]({ ...origin, stream, ...(cut !== undefined && { cut }) }, text);
}
