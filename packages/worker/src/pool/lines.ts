import { pino, type Logger } from "pino";

/** Writes to `log` what a runner's pino wrote as `line`, at the same level. Its time is that of this side. */
export function writeLine(log: Logger, line: string): void {
  const { level, time: _, msg, ...fields } = JSON.parse(line) as Readonly<Record<string, unknown>>;
  log[levelOf(level)](fields, typeof msg === "string" ? msg : undefined);
}

const levels = ["trace", "debug", "info", "warn", "error", "fatal"] as const;

function levelOf(value: unknown): (typeof levels)[number] {
  return levels.find((level) => pino.levels.values[level] === value) ?? "info";
}

/** The level that a runner's logger is to have, to leave out what `log` would: the same, or the lowest, if it is none of pino's own. */
export function levelFor(log: Logger): string {
  return log.level in pino.levels.values || log.level === "silent" ? log.level : "trace";
}
