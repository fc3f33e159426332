import { BullrushError, toMilliseconds, type Duration } from "@bullrush/broker";
import { CommanderError, InvalidArgumentError, type Command } from "commander";

/**
 * Parses `argv` with `command`. Returns `undefined` after showing help or the version. Throws
 * `usage` for arguments that it cannot parse, and the errors of the options' parsers.
 */
export function parseCommand(
  command: Command,
  argv: readonly string[],
  usage: "WORKER_USAGE" | "BEAT_USAGE" | "COMMAND_USAGE",
): Readonly<Record<string, unknown>> | undefined {
  command
    .helpOption("-h, --help", "show this help")
    .allowExcessArguments(false)
    .exitOverride()
    .configureOutput({ writeErr: () => {} });
  try {
    command.parse(argv);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined;
    const [reason = "", ...hints] = error.message.replace(/^error: /, "").split("\n");
    throw new BullrushError(usage, { reason: [reason, ...hints, `(see ${command.name()} --help)`].join(" ") });
  }
  return command.opts();
}

export function wholeNumber(text: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : 0;
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError("It has to be a whole number from 1.");
  return value;
}

const levels = ["debug", "info", "warn", "error"];

/** Capitals are accepted, and `warning`, as Celery writes them. */
export function level(text: string): string {
  const name = text.toLowerCase().replace(/^warning$/, "warn");
  if (!levels.includes(name)) throw new InvalidArgumentError(`Allowed choices are ${levels.join(", ")}.`);
  return name;
}

/** The duration of the option `flag`, in ms. */
export function duration(flag: string): (text: string) => number {
  return (text) => toMilliseconds(text as Duration, flag);
}
