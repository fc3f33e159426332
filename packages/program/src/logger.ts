import { hostname } from "node:os";
import { isatty } from "node:tty";
import { pino, stdTimeFunctions, type DestinationStream, type Logger } from "pino";
import { hasColours } from "./colours.js";
import { shortened } from "./long-lines.js";
import { printableLines } from "./printable.js";

export interface LogOptions {
  /** The file descriptor that the lines go to. Default: 1, stdout. */
  readonly descriptor?: number;
  /**
   * The field `worker` of each line, asked for at each line. Default: none beside what the line
   * has.
   */
  readonly worker?: () => string;
}

/**
 * A pino logger on stdout, or on another file descriptor. `pretty` is for terminals, `json` for
 * machines. It writes synchronously, so that the end of the process loses no line. It escapes
 * control characters and cuts texts of megabytes.
 */
export async function createLogger(level: string, format: "pretty" | "json", { descriptor = 1, worker }: LogOptions = {}): Promise<Logger> {
  const named = worker && { mixin: () => ({ worker: worker() }) };
  const options = { level, base: null, timestamp: stdTimeFunctions.isoTime, ...named };
  if (format === "json") return pino(options, linesTo(descriptor, printableLines));
  const { prettyLines } = await import("./pretty-line.js");
  const columns = () => (isatty(1) ? process.stdout.columns : undefined);
  return pino(options, linesTo(descriptor, prettyLines({ colours: hasColours(descriptor, process.env), host: hostname(), columns })));
}

/** The default logger of worker and beat: JSON on stdout, at `info`. */
export function jsonLogger(): Logger {
  return pino({}, linesTo(1, printableLines));
}

/**
 * Writes each line of JSON to a file descriptor, formatted by `format`. Lines are dropped, without
 * an error, when the terminal or the reader of the pipe is gone.
 */
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
