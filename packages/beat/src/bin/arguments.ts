import { BullrushError } from "@bullrush/broker";
import { duration, level, parseCommand, wholeNumber } from "@bullrush/program/command";
import { Command, InvalidArgumentError, Option } from "commander";

/** The command line of `task-beat`, parsed; a flag that is absent is `undefined`. */
export interface BeatArguments {
  readonly app?: string;
  readonly hostname?: string;
  /** In ms. */
  readonly maxInterval?: number;
  readonly metricsPort?: number;
  readonly metricsHost?: string;
  readonly loglevel: "debug" | "info" | "warn" | "error";
  readonly logFormat?: "pretty" | "json";
  readonly captureConsole: boolean;
  readonly broker?: string;
  readonly resultBackend?: string;
  readonly allowEviction?: boolean;
  readonly list?: boolean;
  readonly dryRun?: boolean;
  /** In ms since the epoch. */
  readonly from?: number;
  /** In ms. */
  readonly for?: number;
  readonly json?: boolean;
  readonly showArgs?: boolean;
}

/**
 * Parses `argv`; help and errors call the command `name`. Returns `undefined` after showing help or
 * the version. Throws `BEAT_USAGE` or `INVALID_OPTION` for arguments that it cannot parse.
 */
export function parseArguments(argv: readonly string[], version: string, name: string): BeatArguments | undefined {
  const command = new Command(name)
    .description("Sends the periodic calls of an app when they are due. Any number may run; one of them leads.")
    .version(version, "-V, --version")
    .option(
      "-A, --app <module[:export]>",
      "module that exports the app (default: BULLRUSH_APP, bullrush.app in package.json, bullrush.config.*, tasks.*)",
    )
    .option(
      "-n, --hostname <name>",
      "name of the beat in its lines; %h is the host, %n its first part, %d the rest, %p the process id (default: beat@%h)",
    )
    .option("--max-interval <duration>", "longest time between two looks for what is due (default: 5s)", duration("--max-interval"))
    .addOption(
      new Option("--metrics-port <port>", "serve GET /metrics there, for Prometheus (default: do not)")
        .argParser(port)
        .conflicts(["list", "dryRun"]),
    )
    .option("--metrics-host <address>", "with --metrics-port: the address to listen on (default: 127.0.0.1)")
    .option("-l, --loglevel <level>", "least important lines to write: debug, info, warn or error", level, "info")
    .addOption(
      new Option("--log-format <format>", "how lines are written (default: pretty on a terminal, else json)").choices(["pretty", "json"]),
    )
    .option("--no-capture-console", "leave what the app writes to stdout and stderr as it is, instead of making log lines of it")
    .option("-b, --broker <url>", "Redis that holds the queues, instead of the app's")
    .option("--result-backend <url>", "Redis that holds the results, instead of the app's")
    .option("--allow-eviction", "start on a Redis that evicts keys when its memory is full, and so may lose tasks")
    .addOption(new Option("--list", "print all entries with their last and next runs, and end").conflicts("dryRun"))
    .option("--dry-run", "print what would be sent and when, and end")
    .option("--from <time>", "with --dry-run: from when on, an ISO time, in UTC without a zone, or now (default: now)", time)
    .option("--for <duration>", "with --dry-run: for how long (default: 1h)", duration("--for"))
    .option("--json", "with --list or --dry-run: a line of JSON for each entry or tick")
    .option("--show-args", "with --dry-run or --list --json: with arguments and headers too");
  const parsed = parseCommand(command, argv, "BEAT_USAGE") as (BeatArguments & Record<string, unknown>) | undefined;
  if (parsed !== undefined) checkTogether(parsed, name);
  return parsed;
}

function checkTogether({ list, dryRun, from, for: length, json, showArgs, metricsPort, metricsHost }: BeatArguments, name: string): void {
  const wrong = [
    from !== undefined && !dryRun && "--from is for --dry-run",
    length !== undefined && !dryRun && "--for is for --dry-run",
    json && !list && !dryRun && "--json is for --list and --dry-run",
    showArgs && !dryRun && !(list && json) && "--show-args is for --dry-run and --list --json",
    metricsHost !== undefined && metricsPort === undefined && "--metrics-host is for --metrics-port",
  ].find((reason) => typeof reason === "string");
  if (wrong !== undefined) throw new BullrushError("BEAT_USAGE", { reason: `${wrong} (see ${name} --help)` });
}

function port(text: string): number {
  const value = wholeNumber(text);
  if (value > 65_535) throw new InvalidArgumentError("It has to be a port, from 1 to 65535.");
  return value;
}

const isoTime = /^(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?)(Z|[+-]\d\d:\d\d)?)?$/;

function time(text: string): number {
  if (text === "now") return Date.now();
  const [, date = "", clock = "00:00", zone = "Z"] = isoTime.exec(text) ?? [];
  const shown = new Date(`${date}T${clock}Z`);
  const value = Date.parse(`${date}T${clock}${zone}`);
  // `Date` would read February 30th as a day in March.
  if (!Number.isNaN(value) && shown.toISOString().startsWith(date)) return value;
  throw new InvalidArgumentError('It has to be a time such as 2026-03-29T00:00:00Z, or "now".');
}
