import { packageVersion, runCommand } from "@bullrush/program/command";
import {
  createLogger,
  discoverApp,
  expandName,
  logOutput,
  OutputCapture,
  shownPasswords,
  ThrottledLog,
  uncheckedLinks,
  logUnhandledErrors,
} from "@bullrush/program";
import { systemClock } from "@bullrush/broker";
import type { App } from "@bullrush/client";
import type { Logger } from "pino";
import { createBeat } from "../beat.js";
import { serveMetrics } from "../service/metrics-server.js";
import { parseArguments, type BeatArguments } from "./arguments.js";
import { bannerFacts, bannerText } from "./banner.js";
import { printForecast, printList, warn } from "./print.js";

/**
 * The command `task-beat`: runs until it is told to stop, then ends the process. Help, errors and
 * warnings call the command `name`.
 */
export async function runTaskBeat(argv: readonly string[], name = "task-beat"): Promise<void> {
  await runCommand(name, () => main(argv, name));
}

async function main(argv: readonly string[], command: string): Promise<number> {
  const version = packageVersion(import.meta.url);
  const args = parseArguments(argv, version, command);
  if (args === undefined) return 0;
  const lines = args.dryRun || args.list ? undefined : await openLines(args);
  lines?.capture?.start();
  try {
    return await serve(args, { command, version }, lines);
  } finally {
    lines?.capture?.stop();
  }
}

interface Lines {
  readonly log: Logger;
  readonly format: "pretty" | "json";
  /** Captures the output of the app, from its loading on. */
  readonly capture: OutputCapture | undefined;
}

async function openLines({ loglevel, logFormat, captureConsole, hostname = "beat@%h" }: BeatArguments): Promise<Lines> {
  const format = logFormat ?? (process.stdout.isTTY ? "pretty" : "json");
  const name = expandName(hostname);
  const log = await createLogger(loglevel, format, { worker: () => name });
  return { log, format, capture: captureConsole ? new OutputCapture((output) => logOutput(log, output)) : undefined };
}

interface Program {
  /** The name under which the command was called. */
  readonly command: string;
  readonly version: string;
}

/** @param lines absent if the command prints something instead of beating */
async function serve(given: BeatArguments, { command, version }: Program, lines: Lines | undefined): Promise<number> {
  const { app } = await discoverApp(given.app, process.cwd(), process.env);
  const { broker, resultBackend: backend, json = false, showArgs = false } = given;
  app.override({ ...(broker !== undefined && { broker }), ...(backend !== undefined && { backend }) });
  const warnings = [...shownPasswords({ "--broker": broker, "--result-backend": backend }), ...uncheckedLinks(app)];
  try {
    if (lines !== undefined) return await beat(app, given, { ...lines, version, warnings });
    for (const warning of warnings) warn(command, warning);
    if (given.dryRun) return (await printForecast(app, given.from ?? Date.now(), given.for ?? hour, { command, json, showArgs })) ? 0 : 1;
    await printList(app, { command, json, showArgs });
    return 0;
  } finally {
    await app.close();
  }
}

const hour = 60 * 60 * 1000;

interface Beginning extends Lines {
  readonly version: string;
  /**
   * Warns of passwords that other users can read, and of servers whose certificate is not checked.
   */
  readonly warnings: readonly string[];
}

async function beat(app: App, given: BeatArguments, { version, warnings, log, format, capture }: Beginning): Promise<number> {
  const { maxInterval, allowEviction = false, metricsPort, metricsHost = "127.0.0.1" } = given;
  for (const warning of warnings) log.warn(warning);
  const throttledLog = new ThrottledLog(log, systemClock);
  app.onConnectionError((service, reason) => throttledLog.warn(`${service} cannot be reached`, reason));
  const beat = createBeat(app, { ...(maxInterval !== undefined && { maxInterval }), allowEviction, log });
  let code = 0;
  let stopping = false;
  const stopped = new Promise<void>((resolve) => {
    const stop = () => {
      stopping = true;
      resolve();
    };
    for (const signal of ["SIGTERM", "SIGHUP", "SIGINT"] as const) process.on(signal, stop);
    logUnhandledErrors(log, () => {
      code = 1;
      stop();
      return "the process ends";
    });
  });
  const begin = async () => {
    const facts = bannerFacts(app, beat.options, await app.beat.list());
    if (format === "pretty") {
      capture?.stop();
      process.stdout.write(bannerText(facts, version));
      capture?.start();
    } else log.info({ version, ...facts, entries: facts.entries.length }, "starting");
    if (metricsPort !== undefined) await serveMetrics(metricsPort, metricsHost, () => beat.metrics());
    await beat.start();
    if (!stopping) log.info({ entries: facts.entries.length }, "ready");
  };
  try {
    await Promise.race([begin(), stopped]);
  } catch (error) {
    // A stop before the beat was ready closes its connections, so `start()` rejects.
    if (!stopping) throw error;
  }
  await stopped;
  await beat.stop();
  log.info({}, "stopped");
  return code;
}
