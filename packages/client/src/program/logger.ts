import { pino, stdTimeFunctions, type Logger } from "pino";

/**
 * A pino logger on stdout. `pretty` is for terminals, `json` for machines. It writes at once, so that a line is never lost when the process
 * ends.
 */
export async function createLogger(level: string, format: "pretty" | "json"): Promise<Logger> {
  const options = { level, base: null, timestamp: stdTimeFunctions.isoTime };
  if (format === "json") return pino(options, pino.destination({ dest: 1, sync: true }));
  const { PinoPretty } = await import("pino-pretty");
  const stream = PinoPretty({
    sync: true,
    translateTime: "SYS:HH:MM:ss.l",
    hideObject: true,
    errorLikeObjectKeys: [],
    colorize: process.stdout.isTTY && process.env["NO_COLOR"] === undefined,
    messageFormat: messageOf,
  });
  return pino(options, stream);
}

/** The event first, then what it is about; the stack of a failure below. */
function messageOf({ level: _level, time: _time, msg, stack, ...fields }: Record<string, unknown>): string {
  const facts = Object.keys(fields).length === 0 ? "" : JSON.stringify(fields);
  const line = [msg, facts].filter((part) => typeof part === "string" && part !== "").join(" ");
  return typeof stack === "string" ? `${line}\n${stack}` : line;
}
