import { BullrushError } from "@bullrush/broker";
import { duration, level, parseCommand, wholeNumber } from "@bullrush/client/command";
import { Command, InvalidArgumentError, Option } from "commander";

/** What the command line of `task-beat` says; what it leaves out is `undefined`. */
export interface BeatArguments {
  readonly app?: string;
  /** In ms. */
  readonly maxInterval?: number;
  readonly metricsPort?: number;
  readonly loglevel: "debug" | "info" | "warn" | "error";
  readonly logFormat?: "pretty" | "json";
  readonly broker?: string;
  readonly resultBackend?: string;
  readonly list?: boolean;
  readonly dryRun?: boolean;
  /** In ms since the epoch. */
  readonly from?: number;
  /** In ms. */
  readonly for?: number;
  readonly json?: boolean;
}

/**
 * Reads `argv`. `undefined` when help or version was asked for, and shown. Throws `BEAT_USAGE` or `INVALID_OPTION` for what cannot be
 * understood.
 */
export function parseArguments(argv: readonly string[], version: string): BeatArguments | undefined {
  const command = new Command("task-beat")
    .description("Sends the recurring calls of an app when they are due. Any number may run; one of them leads.")
    .version(version, "-V, --version")
    .option(
      "-A, --app <module[:export]>",
      "module that exports the app (default: BULLRUSH_APP, bullrush.app in package.json, bullrush.config.*, tasks.*)",
    )
    .option("--max-interval <duration>", "longest time between two looks for what is due (default: 5s)", duration("--max-interval"))
    .option("--metrics-port <port>", "serve GET /metrics there, for Prometheus (default: do not)", wholeNumber)
    .option("-l, --loglevel <level>", "least important lines to write: debug, info, warn or error", level, "info")
    .addOption(
      new Option("--log-format <format>", "how lines are written (default: pretty on a terminal, else json)").choices(["pretty", "json"]),
    )
    .option("-b, --broker <url>", "Redis that holds the queues, instead of the app's")
    .option("--result-backend <url>", "Redis that holds the results, instead of the app's")
    .addOption(new Option("--list", "print all entries with their last and next runs, and end").conflicts("dryRun"))
    .option("--dry-run", "print what would be sent and when, and end")
    .option("--from <time>", "with --dry-run: from when on, an ISO time or now (default: now)", time)
    .option("--for <duration>", "with --dry-run: for how long (default: 1h)", duration("--for"))
    .option("--json", "with --list or --dry-run: a line of JSON for each entry or tick");
  const given = parseCommand(command, argv, "BEAT_USAGE") as (BeatArguments & Record<string, unknown>) | undefined;
  if (given !== undefined) checkTogether(given);
  return given;
}

function checkTogether({ list, dryRun, from, for: length, json }: BeatArguments): void {
  const lost = [from !== undefined && "--from", length !== undefined && "--for"].find((flag) => flag !== false);
  if (lost !== undefined && !dryRun) throw new BullrushError("BEAT_USAGE", { reason: `${lost} is for --dry-run (see task-beat --help)` });
  if (json && !list && !dryRun)
    throw new BullrushError("BEAT_USAGE", { reason: "--json is for --list and --dry-run (see task-beat --help)" });
}

function time(text: string): number {
  const value = text === "now" ? Date.now() : Date.parse(text);
  if (Number.isNaN(value)) throw new InvalidArgumentError('It has to be a time such as 2026-03-29T00:00:00Z, or "now".');
  return value;
}
