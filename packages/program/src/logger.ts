import { hostname } from "node:os";
import { isatty } from "node:tty";
import { pino, stdTimeFunctions, type DestinationStream, type Logger } from "pino";
import { hasColours } from "./colours.js";
import { shortened } from "./long-lines.js";
import { printableLines } from "./printable.js";

export interface LogOptions {
  /** The file descriptor that the lines go to. Default: 1, stdout. */
  readonly descriptor?: number;
  /** Whose lines they are: the field `worker` of each. It is asked for at each line. Default: the lines say it themselves, or do not. */
  readonly worker?: () => string;
}

/**
 * A pino logger on stdout, or on another file descriptor. `pretty` is for terminals, `json` for machines. It writes at once, so that a line is never lost when the process
 * ends. Nothing that is logged reaches a terminal as a control character, and a text of megabytes is cut.
 */
export async function createLogger(level: string, format: "pretty" | "json", { descriptor = 1, worker }: LogOptions = {}): Promise<Logger> {
  const named = worker && { mixin: () => ({ worker: worker() }) };
  const options = { level, base: null, timestamp: stdTimeFunctions.isoTime, ...named };
  if (format === "json") return pino(options, linesTo(descriptor, printableLines));
  const { prettyLines } = await import("./pretty-line.js");
  const columns = () => (isatty(1) ? process.stdout.columns : undefined);
  return pino(options, linesTo(descriptor, prettyLines({ colours: hasColours(descriptor, process.env), host: hostname(), columns })));
}

/** What worker and beat write to when they are given no logger: JSON on stdout, at `info`. */
export function jsonLogger(): Logger {
  return pino({}, linesTo(1, printableLines));
}

/** Writes to a file descriptor what `format` makes of each line of JSON. Once its terminal is closed, or nobody reads the pipe any more, lines are lost: that is no reason to crash. */
function linesTo(descriptor: number, format: (line: string) => string): DestinationStream {
  const lines = pino.destination({ dest: descriptor, sync: true });
  let lost = false;
  lines.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code !== "EIO" && error.code !== "EPIPE") throw error;
    lost = true;
  });
  return {
    write: (line) => {
      if (!lost) lines.write(format(shortened(line)));
    },
  };
}
