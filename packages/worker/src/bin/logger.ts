import { pino, stdTimeFunctions, type Logger } from "pino";
import { PinoPretty } from "pino-pretty";

/** A pino logger on stdout. `pretty` is for terminals, `json` for machines. It writes at once, so that a line is never lost when the process ends. */
export function createLogger(level: string, format: "pretty" | "json"): Logger {
  const options = { level, base: null, timestamp: stdTimeFunctions.isoTime };
  if (format === "json") return pino(options);
  const stream = PinoPretty({
    sync: true,
    translateTime: "SYS:HH:MM:ss.l",
    singleLine: true,
    ignore: "stack",
    errorLikeObjectKeys: [],
    colorize: process.stdout.isTTY && process.env["NO_COLOR"] === undefined,
    messageFormat: messageOf,
  });
  return pino(options, stream);
}

/** The event first, then the task that it is about; the stack of a failure below. */
function messageOf(line: Record<string, unknown>, messageKey: string): string {
  const text = line[messageKey];
  const stack = typeof line["stack"] === "string" ? `\n${line["stack"]}` : "";
  return `${typeof text === "string" ? text : ""}${stack}`;
}
