import { isatty } from "node:tty";
import { pino, stdTimeFunctions, type DestinationStream, type Logger } from "pino";

/**
 * A pino logger on stdout, or on another file descriptor. `pretty` is for terminals, `json` for machines. It writes at once, so that a line is never lost when the process
 * ends.
 */
export async function createLogger(level: string, format: "pretty" | "json", descriptor = 1): Promise<Logger> {
  const options = { level, base: null, timestamp: stdTimeFunctions.isoTime };
  if (format === "json") return pino(options, linesTo(descriptor));
  const { PinoPretty } = await import("pino-pretty");
  const stream = PinoPretty({
    sync: true,
    destination: descriptor,
    translateTime: "SYS:HH:MM:ss.l",
    hideObject: true,
    errorLikeObjectKeys: [],
    colorize: isatty(descriptor) && process.env["NO_COLOR"] === undefined,
    messageFormat: messageOf,
  });
  return pino(options, stream);
}

/** Writes to a file descriptor. Once its terminal is closed, or nobody reads the pipe any more, lines are lost: that is no reason to crash. */
function linesTo(descriptor: number): DestinationStream {
  const lines = pino.destination({ dest: descriptor, sync: true });
  lines.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EIO" && error.code !== "EPIPE") throw error;
    lines.write = () => true;
  });
  return lines;
}

/** The event first, then what it is about; the stack of a failure below. */
function messageOf({ level: _level, time: _time, msg, stack, ...fields }: Record<string, unknown>): string {
  const facts = Object.keys(fields).length === 0 ? "" : JSON.stringify(fields);
  const line = [msg, facts].filter((part) => typeof part === "string" && part !== "").join(" ");
  return typeof stack === "string" ? `${line}\n${stack}` : line;
}
