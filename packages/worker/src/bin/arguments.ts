import { BullrushError } from "@bullrush/broker";
import { duration, level, parseCommand, wholeNumber } from "@bullrush/program/command";
import { Command, InvalidArgumentError, Option } from "commander";
import { debugAddress, type DebugAddress } from "./inspect.js";
import { poolNames, type Autoscale, type PoolName } from "../pool/options.js";

/** What the command line of `task-worker` says; what it leaves out is `undefined`. */
export interface WorkerArguments {
  readonly app?: string;
  readonly queues?: readonly string[];
  readonly excludeQueues?: readonly string[];
  readonly hostname?: string;
  readonly concurrency?: number;
  readonly pool?: PoolName;
  readonly autoscale?: Autoscale;
  readonly maxTasksPerChild?: number;
  /** With a unit, as it was given. */
  readonly maxMemoryPerChild?: string;
  /** In ms. */
  readonly timeLimit?: number;
  /** In ms. */
  readonly softTimeLimit?: number;
  /** In ms. */
  readonly lease?: number;
  /** In ms. */
  readonly blockedLimit?: number;
  readonly order?: "round-robin" | "strict";
  readonly loglevel: "debug" | "info" | "warn" | "error";
  readonly logFormat?: "pretty" | "json";
  /** In ms. */
  readonly unregisteredGrace?: number;
  /** In ms. */
  readonly shutdownTimeout?: number;
  readonly broker?: string;
  readonly resultBackend?: string;
  readonly allowEviction?: boolean;
  readonly fullStacks?: boolean;
  readonly captureConsole: boolean;
  readonly purge?: boolean;
  readonly yes?: boolean;
  readonly beat?: boolean;
  /** `true` for the default address. */
  readonly inspect?: DebugAddress | true;
  /** The same, and the app is loaded once a debugger is there. */
  readonly inspectBrk?: DebugAddress | true;
}

/**
 * Reads `argv`, in which help and errors call the command `name`. `undefined` when help or version was asked for, and shown. Throws `WORKER_USAGE` or `INVALID_OPTION` for what cannot be
 * understood.
 */
export function parseArguments(argv: readonly string[], version: string, name: string): WorkerArguments | undefined {
  const command = new Command(name)
    .description("Runs the tasks of an app, taken from its queues.")
    .version(version, "-V, --version")
    .option(
      "-A, --app <module[:export]>",
      "module that exports the app (default: BULLRUSH_APP, bullrush.app in package.json, bullrush.config.*, tasks.*)",
    )
    .option(
      "-Q, --queues <names>",
      "queues to take from, separated by commas, each with :weight if it is to get more turns (default: all that the app declares)",
      list,
    )
    .option("-X, --exclude-queues <names>", "queues to leave out", list)
    .option(
      "-n, --hostname <name>",
      "name of the worker; %h is the host, %n its first part, %d the rest, %p the process id (default: worker@%h, worker2@%h if that is taken)",
    )
    .addOption(
      new Option("-P, --pool <pool>", "where tasks run: on the worker's event loop, in threads or in processes (default: inline)").choices(
        poolNames,
      ),
    )
    .option(
      "-c, --concurrency <number>",
      "how many tasks may run at once, over all queues (default: 100 for inline, else the number of cores)",
      wholeNumber,
    )
    .option("--autoscale <max,min>", "most and least threads or processes, as there is work; max takes the place of -c", autoscale)
    .option("--max-tasks-per-child <number>", "replace a thread or process after so many tasks (default: never)", wholeNumber)
    .option("--max-memory-per-child <size>", "replace a process whose memory is over this after a task, such as 200mb (default: never)")
    .option("--time-limit <duration>", "how long a task may run before it is killed (default: no limit)", duration("--time-limit"))
    .option(
      "--soft-time-limit <duration>",
      "how long a task may run before its signal aborts (default: no limit)",
      duration("--soft-time-limit"),
    )
    .option(
      "--lease <duration>",
      "how long after a worker's death its tasks stay with it; renewed while they run (default: 15s)",
      duration("--lease"),
    )
    .option(
      "--blocked-limit <duration>",
      "how long a task may block the event loop before the process is ended, and its tasks go to other workers; 0ms for ever (default: 10m)",
      duration("--blocked-limit"),
    )
    .addOption(new Option("--order <order>", "how the queues take turns (default: round-robin)").choices(["round-robin", "strict"]))
    .option("-B, --beat", "also run a beat, which sends the recurring calls; needs the package @bullrush/beat")
    .option("-l, --loglevel <level>", "least important lines to write: debug, info, warn or error", level, "info")
    .addOption(
      new Option("--log-format <format>", "how lines are written (default: pretty on a terminal, else json)").choices(["pretty", "json"]),
    )
    .option("--full-stacks", "keep the frames of Bullrush and of Node's internals in the stacks of failures")
    .option(
      "--unregistered-grace <duration>",
      "how long a message that no task here is for is put back for other workers before it fails; 0ms to fail it at once (default: 5m)",
      duration("--unregistered-grace"),
    )
    .option(
      "--shutdown-timeout <duration>",
      "how long a stop waits for running tasks before it puts them back (default: 30s)",
      duration("--shutdown-timeout"),
    )
    .option("-b, --broker <url>", "Redis that holds the queues, instead of the app's")
    .option("--result-backend <url>", "Redis that holds the results, instead of the app's")
    .option("--allow-eviction", "start on a Redis that evicts keys when its memory is full, and so may lose tasks")
    .option(
      "--inspect [host:port]",
      "let debuggers attach; the children of the pool processes count up from this port (default: 127.0.0.1:9229)",
      debugAddress,
    )
    .addOption(
      new Option("--inspect-brk [host:port]", "the same, and wait for one before the app is loaded")
        .argParser(debugAddress)
        .conflicts("inspect"),
    )
    .option("--no-capture-console", "leave what tasks write to stdout and stderr as it is, instead of making log lines of it")
    .option("--purge", "first remove all messages that wait in the queues taken from; asks in a terminal")
    .option("--yes", "with --purge: do not ask");
  const given = parseCommand(command, argv, "WORKER_USAGE") as (WorkerArguments & Record<string, unknown>) | undefined;
  if (given?.yes && !given.purge) throw new BullrushError("WORKER_USAGE", { reason: `--yes is for --purge (see ${name} --help)` });
  return given;
}

function list(text: string): readonly string[] {
  return text.split(",").map((name) => name.trim());
}

function autoscale(text: string): Autoscale {
  const [, max, min = "1"] = /^(\d+)(?:,(\d+))?$/.exec(text) ?? [];
  if (max === undefined) throw new InvalidArgumentError("It has to be two whole numbers, the most and the least, such as 8,2.");
  return { max: Number(max), min: Number(min) };
}
